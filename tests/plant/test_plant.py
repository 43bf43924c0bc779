"""The plant's rules: `plant.toml`, resolved for a line and a time; what is wrong in it is named."""

import re
from pathlib import Path

import pytest

from plant.file import Plant
from plant.line_rules import LineRules
from plant.rules import PlantError, Rules, plant_text, read_plant
from tests.rules.line import at

SAMPLE = Path(__file__).parents[2] / "plant.toml"


def test_the_sample_that_ships_changes_nothing():
    """Everything in it is commented out."""
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


def test_more_special_rules_beat_more_general_ones_whenever_they_were_changed():
    """The plant's new rate is not that of an area or a line which has its own."""
    #            january   february (plant: 110)   march (area: 130)
    #  ligne9    100       110                     110
    #  ligne1    120       120                     130    in area hall
    #  ligne2    150       150                     150    in area hall, with a rate of its own
    rules = Rules(
        1,
        read_plant("""
        [line]
        target_rate = 100
        [areas.hall]
        lines = ["ligne1", "ligne2"]
        target_rate = 120
        [lines.ligne2]
        target_rate = 150
        [[change]]
        from = 2026-03-01
        area = "hall"
        target_rate = 130
        [[change]]
        from = 2026-02-01
        target_rate = 110
    """),
    )
    days = [at("12:00", day) for day in ("2026-01-15", "2026-02-15", "2026-03-15")]
    assert [rules.line("ligne9", day).target_rate for day in days] == [100, 110, 110]
    assert [rules.line("ligne1", day).target_rate for day in days] == [120, 120, 130]
    assert [rules.line("ligne2", day).target_rate for day in days] == [150, 150, 150]


def test_changes_may_stand_in_any_order_and_several_may_begin_together():
    """The date decides."""
    rules = Rules(
        1,
        read_plant("""
        [[change]]
        from = 2026-03-01
        target_rate = 130
        [[change]]
        from = 2026-02-01
        target_rate = 110
        [[change]]
        from = 2026-02-01
        silence_s = 60
    """),
    )
    found = [rules.line("ligne1", at("12:00", day)) for day in ("2026-01-15", "2026-02-15", "2026-03-15")]
    assert [line.target_rate for line in found] == [None, 110, 130]
    assert [line.silence_s for line in found] == [30, 60, 60]


def test_a_line_may_have_a_clock_of_its_own():
    """Or its area."""
    rules = Rules(
        1,
        read_plant("""
        [areas.quebec]
        lines = ["ligne1", "ligne2"]
        time_zone = "America/Montreal"
        [lines.ligne2]
        time_zone = "America/Halifax"
    """),
    )
    zones = [rules.line(line_id, 0).time_zone for line_id in ("ligne1", "ligne2", "ligne3")]
    assert zones == ["America/Montreal", "America/Halifax", "Europe/Paris"]


def test_a_missing_default_file_means_the_built_in_rules_and_a_missing_named_one_is_an_error(
    tmp_path, monkeypatch
):
    """A plant must not run under other rules than those that were named."""
    monkeypatch.chdir(tmp_path)
    assert plant_text(Path("plant.toml")) == ""
    with pytest.raises(PlantError, match="LINEPULSE_PLANT: no file"):
        plant_text(Path("usine.toml"))
