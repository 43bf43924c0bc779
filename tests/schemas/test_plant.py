"""The plant's rules: `plant.toml`, resolved for a line and a time; what is wrong in it is named."""

import re
from pathlib import Path

import pytest

from schemas.plant import LineRules, Plant, PlantError, Rules, plant_text, read_plant
from tests.streams.line import at

SAMPLE = Path(__file__).parents[2] / "plant.toml"


def test_the_sample_that_ships_changes_nothing():
    """Everything in it stands commented out."""
    assert Rules(1, read_plant(SAMPLE.read_text())).line("ligne1", 0) == LineRules()
    assert read_plant(SAMPLE.read_text()).shift == Plant().shift


def test_every_default_that_the_sample_names_is_the_default():
    """Taken out of its comments, it says the same, but for its examples of a line and a change."""
    text = SAMPLE.read_text().partition("# One line:")[0]
    plant = read_plant(re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.M).replace("target_rate = 120", ""))
    assert plant.shift == Plant().shift
    assert plant.plant == Plant().plant
    assert Rules(1, plant).line("ligne1", 0) == LineRules()
    read_plant(re.sub(r"^# (?=\[|[a-z_.]+ = )", "", SAMPLE.read_text(), flags=re.M))


def test_a_line_overrides_what_differs_and_keeps_the_rest():
    """Deeply."""
    rules = Rules(
        1,
        read_plant("""
        [line]
        silence_s = 45
        [line.alerts]
        low_rate = 0.7
        [lines.ligne2]
        name = "Soutireuse"
        [lines.ligne2.alerts]
        high_temperature = 40
    """),
    )
    one, two = rules.line("ligne1", 0), rules.line("ligne2", 0)
    assert (one.alerts.low_rate, two.alerts.low_rate, two.alerts.high_temperature) == (0.7, 0.7, 40)
    assert (one.silence_s, two.silence_s) == (45, 45)
    assert (rules.name("ligne1", 0), rules.name("ligne2", 0), rules.name("four", 0)) == (
        "Ligne 1",
        "Soutireuse",
        "four",
    )


def test_rules_may_hold_from_a_date_on():
    """By the plant's clock, for one line or for all."""
    rules = Rules(
        1,
        read_plant("""
        [line]
        target_rate = 100
        [[change]]
        from = 2026-02-01
        line = "ligne1"
        target_rate = 150
        [[change]]
        from = 2026-01-20T06:00:00
        silence_s = 60
    """),
    )
    before, after = at("23:59:59", "2026-01-31"), at("00:00", "2026-02-01")
    assert (rules.line("ligne1", before).target_rate, rules.line("ligne1", after).target_rate) == (100, 150)
    assert rules.line("ligne2", after).target_rate == 100
    change = at("06:00", "2026-01-20")
    assert (rules.line("ligne2", change - 1).silence_s, rules.line("ligne2", change).silence_s) == (30, 60)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[line", "Expected ']'"),
        ("[plant]\ntime_zone = 'Mars/Olympus'", "plant.time_zone = 'Mars/Olympus': no such time zone"),
        ("[line]\ntarget_rate = -3", "line.target_rate = -3"),
        ("[line]\ntarget = 3", "line.target = 3"),
        (
            "[lines.ligne1.alerts]\nlow_rate = 0.9",
            "lines.ligne1.alerts: low_rate_clear must lie on the quiet side",
        ),
        ("[lines.'a b']\nname = 'x'", "lines.a b: not a line name"),
        ("[[change]]\nfrom = 2026-01-01\nspeed = 3", "change from 2026-01-01.speed = 3"),
        (
            "[[shift]]\nname='A'\nstart=06:00:00\nend=14:00:00\n[[shift]]\nname='B'\nstart=13:00:00\nend=20:00:00",
            "shift B overlaps shift A",
        ),
    ],
)
def test_what_is_wrong_is_named(text, named):
    """The key, its value, what is expected."""
    with pytest.raises(PlantError, match=re.escape(named)):
        read_plant(text)


def test_a_missing_default_file_means_the_built_in_rules_and_a_missing_named_one_is_an_error(
    tmp_path, monkeypatch
):
    """Nobody should run under other rules than those that he named."""
    monkeypatch.chdir(tmp_path)
    assert plant_text(Path("plant.toml")) == ""
    with pytest.raises(PlantError, match="LINEPULSE_PLANT: no file"):
        plant_text(Path("usine.toml"))
