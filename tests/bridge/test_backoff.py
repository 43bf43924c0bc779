"""Waits between tries."""

from bridge.backoff import Backoff


def test_waits_double_up_to_half_a_minute() -> None:
    """0.5, 1, 2, ... 30 s."""
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.wait_s() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_half_of_a_wait_is_chance() -> None:
    """Two bridges that lost the same broker do not reconnect in step."""
    assert Backoff(chance=lambda: 0.0).wait_s() == 0.25


def test_after_a_success_waits_are_short_again() -> None:
    """After `reset`, waits are short again."""
    backoff = Backoff(chance=lambda: 1.0)
    backoff.wait_s(), backoff.wait_s()
    backoff.reset()
    assert backoff.wait_s() == 0.5
