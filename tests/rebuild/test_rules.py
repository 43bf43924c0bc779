"""Other rules: what they would change is reported; a mistake in them is refused before anything is done."""

from pathlib import Path

import pytest

from tests.commands import environment, linepulse
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import story


def test_what_other_rules_would_change_is_told_and_nothing_changes(plant: Replayed, tmp_path: Path) -> None:
    """Other orders and windows; the same messages, the same dead letters."""
    other = tmp_path / "other.toml"
    other.write_text(RULES.replace("150", "40") + '[lines.ligne1]\nname = "Bouchage"\n')
    plant.write(story(seconds=120, seed=21))
    plant.live()
    before = plant.digests()
    tables = plant.rebuild("--dry-run", "--plant", str(other))["tables"]
    assert tables["ProductionOrder"]["added"] > tables["ProductionOrder"]["removed"] > 0
    named = plant.rows("""SELECT count(*) FROM "ProductionData" WHERE "lineId" = 'ligne1'""")[0][0]
    assert tables["ProductionData"]["changed"] >= named > 0
    assert tables["ProductionData"]["added"] == tables["ProductionData"]["removed"] == 0
    assert plant.digests() == before
    assert differing(plant.rebuild("--dry-run")) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[line.order]\nquantity = -5\n", ":2: line.order.quantity = -5"),
        ("[plant]\ntime_zone = 'Europe/Pari'\n", ":2: plant.time_zone = 'Europe/Pari'"),
        ("[line\n", "at line 1"),
    ],
)
def test_a_mistake_in_the_rules_is_refused(plant: Replayed, tmp_path: Path, text: str, sentence: str) -> None:
    """With the file, its line and the key, without a traceback."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text)
    done = linepulse(environment(plant.settings), "rebuild", "--plant", str(wrong))
    assert done.returncode == 2
    assert done.stderr.startswith(f"{wrong}:")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert plant.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'generation%'") == []


def test_a_plant_file_that_is_missing_is_named(plant: Replayed) -> None:
    """Falling back to other rules would be wrong."""
    done = linepulse(environment(plant.settings), "rebuild", "--plant", "nowhere.toml")
    assert done.returncode == 2
    assert done.stderr == "--plant: no file 'nowhere.toml'\n"
