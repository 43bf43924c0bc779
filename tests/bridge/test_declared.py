"""A bridge continues from the corrected end of a log that was ahead."""

from pathlib import Path

import pytest

from bridge.declared_time import declared_time
from bridge.examine import Examination
from runtime.settings import Settings
from tests.bridge.test_clock import START, YEAR, Computer

RULE = """[[log_clock]]
first_run = 4
last_run = 5
from = 2024-11-13T22:13:20Z
true = 2023-11-14T22:13:20Z
"""


def settings(tmp_path: Path, text: str) -> Settings:
    """Settings with this plant file."""
    path = tmp_path / "plant.toml"
    path.write_text(text)
    return Settings(_env_file=None, plant=path)


@pytest.mark.parametrize(("rule", "ahead"), [("", YEAR), (RULE, 0)])
def test_the_clock_goes_on_from_the_corrected_tail(tmp_path: Path, rule: str, ahead: int) -> None:
    """Without the rule a log that is a year ahead stays so; with it, the first time is the true one."""
    true_time, wrong = declared_time(settings(tmp_path, rule))
    assert wrong is None
    tail = Examination(true_time)
    tail.take(0, START + YEAR, 5, "a", tick=True)
    computer = Computer()
    computer.clock.not_before(tail.found.received_at)
    assert computer.clock.now() == START + ahead
    assert bool(computer.notices) == bool(ahead)


def test_a_plant_file_with_a_mistake_corrects_nothing_and_is_told(tmp_path: Path) -> None:
    """The bridge goes on; the error names what is wrong."""
    true_time, wrong = declared_time(settings(tmp_path, RULE + "speed = 3"))
    assert true_time.of(START + YEAR, 5) == START + YEAR
    assert wrong is not None
    assert "speed" in wrong
