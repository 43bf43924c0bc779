"""Which client id owns a log, by its records."""

import pytest

from bridge.log_owner import LogOwner, OtherClientError, require_own_log
from runtime.settings import Settings


def holder(*records: tuple[int, int, str]) -> str:
    """Of a log with these records: partition, run, client."""
    found = LogOwner()
    for record in records:
        found.take(*record)
    return found.client


def test_it_is_whose_run_is_highest() -> None:
    """In any partition, whatever others wrote before and behind it."""
    assert holder() == ""
    assert holder((0, 1, "a"), (0, 3, "a"), (1, 2, "b"), (1, 4, "b"), (1, 3, "a")) == "b"


def test_the_ticks_of_older_releases_tell_nobody() -> None:
    """Their messages do, of the same run."""
    assert holder((0, 5, "a"), (0, 6, "")) == ""
    assert holder((0, 5, "b"), (0, 6, ""), (1, 6, "a")) == "a"


def test_of_two_that_take_the_same_run_both_find_the_same() -> None:
    """Each is first in some partition: the lowest decides; also when the winner has written since."""
    race = ((0, 1, "a"), (0, 1, "b"), (1, 1, "b"), (1, 1, "a"))
    assert holder(*race) == "a"
    assert holder(*reversed(race)) == "b"
    assert holder((0, 1, "b"), *[(0, 1, "a")] * 2) == "a"


def test_anothers_log_is_refused_by_name() -> None:
    """With both client ids, and what to do; our own log, and one without client ids, are accepted."""
    settings = Settings(_env_file=None, mqtt_client_id="ours")
    require_own_log(settings, "ours", 3)
    require_own_log(settings, "", 3)
    with pytest.raises(OtherClientError, match=r"'ours': .* client id 'theirs' \(run 3\).*CLIENT_ID=theirs"):
        require_own_log(settings, "theirs", 3)
