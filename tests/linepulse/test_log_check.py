"""What the doctor says of the end of the log."""

from bridge.examine import Examined
from linepulse.log_check import told
from runtime.settings import Settings

NOW = 1_700_000_000_000
HOUR = 3_600_000
SETTINGS = Settings(_env_file=None)


def test_a_sound_log_is_told_with_its_bridge() -> None:
    """And an empty one as empty; what a replaced bridge left is no trouble."""
    assert told(SETTINGS, Examined(), NOW) == ("log production.raw: empty", None)
    part, wrong = told(SETTINGS, Examined(NOW, 4, "a", void=7), NOW)
    assert (part, wrong) == (
        "log production.raw: run 4, of the bridge with client id 'a'; 7 records of replaced bridges are void,"
        " and came again",
        None,
    )


def test_a_log_that_is_ahead_is_wrong() -> None:
    """By more than a minute: with the time that it is at, and by how much that is too late."""
    _, wrong = told(SETTINGS, Examined(NOW + 5 * HOUR, 4, "a"), NOW)
    assert wrong is not None
    assert "2023-11-15T03:13:20.000Z" in wrong
    assert "5 h ahead" in wrong
    assert told(SETTINGS, Examined(NOW + 60_000, 4, "a"), NOW)[1] is None


def test_a_bridge_that_acknowledges_what_nobody_reads_is_wrong() -> None:
    """With its client id and run, and those of the one whose log it is."""
    _, wrong = told(SETTINGS, Examined(NOW, 3, "b", void=9, unaware=(2, "a")), NOW)
    assert wrong is not None
    assert "9 of its last records are void: a bridge with client id 'a' (run 2)" in wrong
    assert "run 3 with client id 'b'" in wrong
