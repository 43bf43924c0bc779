"""KPIs of any period are ratios of sums."""

import pytest

from dashboard.models import Sums
from dashboard.ratios import ratios, total


def test_a_shift_of_two_windows_is_a_ratio_of_their_sums():
    """A good minute and a minute of stop: 105 good pieces of 240 possible, whatever the means are."""
    good = Sums(running_s=60, stopped_s=0, pieces=110, defects=5, theoretical=120, real=110)
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
    assert ratios(Sums(running_s=60, theoretical=120, real=110)).trs is None
    assert ratios(Sums(running_s=60, pieces=110, real=110)).trs is None
