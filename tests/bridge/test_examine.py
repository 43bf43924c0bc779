"""What the doctor finds in the last records of the log."""

from bridge.examine import Examination, Examined
from schemas.instant import LATEST

Record = tuple[int, int, str, bool]  # time, run, client, whether it is a tick


def examined(*records: Record) -> Examined:
    """Records of one partition, the last ones of the log."""
    found = Examination()
    for record in records:
        found.take(0, *record)
    return found.found


def test_an_empty_log_tells_nothing() -> None:
    """No time, no run, no client."""
    assert examined() == Examined()


def test_what_strangers_wrote_is_not_void() -> None:
    """A record without a run, and with a time that readers ignore."""
    assert examined((5, 2, "a", True), (LATEST + 1, 0, "", False)) == Examined(5, 2, "a")


def test_a_bridge_that_wrote_one_batch_behind_a_fence_is_aware() -> None:
    """Such as one that was frozen: what it wrote, a tick included, is void, and its messages came again."""
    late = [(1, 2, "a", False)] * 3 + [(1, 2, "a", True)]
    assert examined((1, 2, "a", True), (2, 3, "a", True), *late) == Examined(2, 3, "a", void=4)


def test_a_bridge_that_goes_on_behind_a_fence_is_unaware() -> None:
    """It goes on writing ticks, so it also goes on acknowledging."""
    late = [(6, 2, "a", True), (11, 2, "a", True)]
    found = examined((1, 2, "a", True), (2, 3, "b", True), *late)
    assert found == Examined(11, 3, "b", void=2, unaware=(2, "a"))


def test_each_partition_by_itself() -> None:
    """A fence voids only records behind it in its own partition."""
    found = Examination()
    found.take(0, 1, 3, "a", tick=True)
    for _ in range(3):
        found.take(1, 1, 2, "a", tick=True)
    assert found.found == Examined(1, 3, "a")
