"""What the doctor reports about the end of the log."""

from pathlib import Path

import pytest

from bridge.ahead import Ahead
from bridge.examine import Examined
from linepulse import log_check
from linepulse.log_check import verdict
from plant.log_clock import TrueTime
from runtime.settings import Settings

NOW = 1_700_000_000_000
HOUR = 3_600_000
SETTINGS = Settings(_env_file=None)


def test_a_sound_log_is_told_with_its_bridge() -> None:
    """And an empty one as empty; void records of a replaced bridge are no fault."""
    assert verdict(SETTINGS, Examined(), NOW) == ("log production.raw: empty", None)
    part, wrong = verdict(SETTINGS, Examined(NOW, 4, "a", void=7), NOW)
    assert (part, wrong) == (
        "log production.raw: run 4, of the bridge with client id 'a'; 7 records of replaced bridges are void,"
        " and came again",
        None,
    )


def test_a_log_that_is_ahead_is_wrong() -> None:
    """By more than a minute: with the time and run that it is at, and by how much that is too late."""
    _, wrong = verdict(SETTINGS, Examined(NOW + 5 * HOUR, 4, "a"), NOW)
    assert wrong is not None
    assert "2023-11-15T03:13:20.000Z" in wrong
    assert "its last run is 4" in wrong
    assert "5 h ahead" in wrong
    assert verdict(SETTINGS, Examined(NOW + 60_000, 4, "a"), NOW)[1] is None


def test_of_a_log_that_is_ahead_the_first_wrong_record_is_told() -> None:
    """And the last right one, and what began after it: all that an entry of [[log_clock]] asks for."""
    first = Ahead(NOW + 4 * HOUR, 3, NOW - HOUR, ((4, NOW + 5 * HOUR),))
    _, wrong = verdict(SETTINGS, Examined(NOW + 5 * HOUR, 4, "a"), NOW, first)
    assert wrong is not None
    assert (
        "the first such record is of run 3, 2023-11-15T02:13:20.000Z, the last before it of"
        " 2023-11-14T21:13:20.000Z; run 4 began at 2023-11-15T03:13:20.000Z." in wrong
    )


async def test_a_log_that_the_plant_file_mends_is_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The doctor takes its end at the true time, as the bridge does."""

    async def examine(_: Settings, true_time: TrueTime) -> Examined:
        return Examined(true_time.of(NOW + 5 * HOUR, 4), 4, "a")

    async def nowhere(*_: object) -> None:
        return None

    monkeypatch.setattr(log_check, "examine", examine)
    monkeypatch.setattr(log_check, "first_ahead", nowhere)
    monkeypatch.setattr("time.time", lambda: NOW / 1000)
    plant = tmp_path / "plant.toml"
    settings = Settings(_env_file=None, plant=plant)
    plant.write_text("")
    assert (await log_check.check_log(settings))[1] is not None
    since, true = "2023-11-15T03:13:20Z", "2023-11-14T22:13:20Z"
    plant.write_text(f"[[log_clock]]\nfirst_run = 4\nlast_run = 4\nfrom = {since}\ntrue = {true}\n")
    assert (await log_check.check_log(settings))[1] is None


def test_a_bridge_that_acknowledges_what_nobody_reads_is_wrong() -> None:
    """With its client id and run, and those of the log's owner."""
    _, wrong = verdict(SETTINGS, Examined(NOW, 3, "b", void=9, unaware=(2, "a")), NOW)
    assert wrong is not None
    assert "9 of its last records are void: a bridge with client id 'a' (run 2)" in wrong
    assert "run 3 with client id 'b'" in wrong
