"""KPIs of any stretch are ratios of sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.models import Sums
from dashboard.ratios import ratios, total
from schemas.state import Window
from streams.kpi import figures


def test_a_shift_of_two_windows_is_a_ratio_of_their_sums():
    """A good minute and a minute of stop: 105 good pieces of 240 possible, whatever the means are."""
    good = Sums(running_s=60, stopped_s=0, pieces=110, defects=5, theoretical=120, reported=110)
    stopped = Sums(running_s=0, stopped_s=60)
    shift = ratios(total([good, stopped]))
    assert shift.availability == pytest.approx(50.0)
    assert shift.performance == pytest.approx(100 * 110 / 120)
    assert shift.quality == pytest.approx(100 * 105 / 110)
    assert shift.trs == pytest.approx(100 * 105 / 240)


def test_what_has_no_denominator_has_no_figure():
    """Nothing required: nothing. Stopped all the time: 0. No pieces or no target: no TRS."""
    assert ratios(Sums()).trs is None
    assert ratios(Sums(stopped_s=60)).trs == 0.0
    assert ratios(Sums(stopped_s=60)).performance is None
    assert ratios(Sums(running_s=60, theoretical=120, reported=110)).trs is None
    assert ratios(Sums(running_s=60, pieces=110, reported=110)).trs is None


def test_a_target_next_to_nothing_is_no_target():
    """A machine that sends a target of 1e-309 gets no figure, not an infinite one."""
    assert ratios(Sums(running_s=1, pieces=1, defects=1, theoretical=1e-309), "pieces").trs is None


seconds = st.integers(0, 60).map(lambda s: 1000 * s)
outputs = st.just(0.0) | st.floats(0.001, 500)


@given(
    window=st.builds(
        Window,
        id=st.just("w"),
        start=st.just(0),
        end=st.just(60_000),
        created_at=st.just(0),
        running=seconds,
        stopped=seconds,
        pieces=st.integers(0, 300),
        defects=st.integers(0, 400),
        theoretical=outputs,
        reported=outputs,
    ),
    performance_from=st.sampled_from(["rate", "pieces"]),
)
def test_one_window_shows_what_its_row_says(window: Window, performance_from: str):
    """The page's ratio of a single window's sums is the figure in that window's row."""
    row = figures(window, performance_from)
    shown = ratios(
        Sums(
            window.running / 1000,
            window.stopped / 1000,
            window.pieces,
            window.defects,
            window.theoretical,
            window.reported,
        ),
        performance_from,
    )
    for name in ("trs", "availability", "performance", "quality"):
        expected = getattr(row, name)
        assert getattr(shown, name) == (None if expected is None else pytest.approx(expected, abs=1e-3))
