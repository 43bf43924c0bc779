"""When the pipeline works again: a pause is distinguished from a slow machine."""

import pytest

from chaos.prober import Steady, pause_of


def test_the_time_counts_from_the_end_of_the_last_pause() -> None:
    """Probes of half a second, one of three, and half a second again."""
    steady = Steady(1.5)
    assert steady.probed(10.0, 0.5) == 10.5
    assert steady.probed(11.0, 0.5) == 10.5
    assert steady.probed(12.0, 3.0) == 15.0
    assert steady.probed(15.5, 1.5) == 15.0


@pytest.mark.parametrize(
    ("calm", "pause"),
    [
        ([0.3, 0.4, 0.3, 0.4, 5.0], 1.5),  # one that was slow by chance changes nothing
        ([0.8, 0.8, 0.8, 0.8, 0.8], 2.4),
        ([2.5, 2.5, 2.5, 2.5, 2.5], 6.0),  # a rebalance of more than six seconds is a pause everywhere
    ],
)
def test_a_pause_is_longer_than_calm_probes_take(calm: list[float], pause: float) -> None:
    """Three times their median, 1.5 s at least and 6 s at most."""
    assert pause_of(calm) == pytest.approx(pause)
