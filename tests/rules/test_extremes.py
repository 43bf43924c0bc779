"""Extreme values in messages: figures are meaningful or missing, and times within the calendar."""

import math
from typing import Any

import pytest

from plant.calendar import Calendars
from plant.rules import Rules, read_plant
from rules.kpi.kpi_row import row
from rules.partition import Lines
from rules.record_context import RecordContext
from schemas.events import AlertEvent
from schemas.instant import END
from schemas.kpi_state import Window
from schemas.raw import Kind, RawHeaders, RawRecord
from tests.rules.line import Line, at

TINIEST = 5e-324


@pytest.mark.parametrize("target", [0.0005, 1e-9, 1e-300, TINIEST])
@pytest.mark.parametrize("count", [0, 1, 1_000_000])
def test_an_order_whose_end_lies_beyond_ten_years_has_no_estimated_end(count: int, target: float):
    """With so slow a target its end would lie outside the calendar, in the future or in the past."""
    [order] = Line.at("10:00").data(count, targetRate=target).orders
    assert order.estimated_end_time is None
    assert order.produced == count


def test_an_order_that_ends_within_ten_years_has_an_estimated_end():
    """10 000 pieces at one a minute: 6 days, 22 hours and 40 minutes."""
    [order] = Line.at("10:00").data(0, targetRate=1).orders
    assert order.estimated_end_time == "2026-01-22T07:40:00.000Z"


@pytest.mark.parametrize("rule", ["1e-300", "5e-324", "1e-12"])
def test_a_target_of_the_rules_that_is_next_to_nothing_gives_finite_figures_or_none(rule: str):
    """What JSON can't hold, and COPY would write as `inf`, is in no row."""
    line = Line.at("10:00", f"[line]\ntarget_rate = {rule}").runs(minutes=2, targetRate=None, rate=1e9)
    for window in line.windows:
        for figure in (window.trs, window.performance, window.oee, window.tp):
            assert figure is None or math.isfinite(figure)


@pytest.mark.parametrize("tiny", [-0.0, TINIEST, -TINIEST, 9.9e-10, -9.9e-10])
def test_a_number_next_to_nothing_is_zero(tiny: float):
    """By the fast parser and by the careful one."""
    measures = {"targetRate": tiny, "rate": tiny, "temperature": tiny, "pressure": tiny}
    line = Line.at("10:00").data(1, **measures).data(1, **measures, _=[])
    for sample in line.samples:
        numbers = (sample.target_rate, sample.actual_rate, sample.temperature, sample.pressure)
        assert [math.copysign(1, number) for number in numbers if number is not None] == [1, 1, 1, 1]
        assert numbers == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "timestamp", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999", "1969-12-31T22:59Z", 9e13]
)
@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_what_people_say_of_a_time_that_no_plant_has_seen_is_refused(timestamp: str | float, zone: str):
    """A correction, a reason, a planned stop: from 1970 to 2999."""
    line = Line.at("10:00", f'[plant]\ntime_zone = "{zone}"').runs(seconds=10).stops(seconds=10)
    number = line.orders[0].order_number
    line.says(Kind.ORDER, action="correct", orderNumber=number, defects=1, at=timestamp)
    line.says(Kind.STATUS, action="reason", reason="x", at=timestamp)
    line.says(Kind.STATUS, action="plan", start=timestamp, end="2026-01-15T12:00", requestId="a")
    line.says(Kind.STATUS, action="plan", start="2026-01-15T11:00", end=timestamp, requestId="b")
    line.silent(minutes=1)
    assert [letter.reason for letter in line.dead_letters] == ["bad_field"] * 4
    assert line.orders[0].defects == 0


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999", 1e14, -0.0])
def test_a_machine_whose_clock_is_of_no_time_is_counted_as_it_comes(timestamp: str | float):
    """Only its clock is wrong, not its pieces."""
    line = Line.at("10:00").data(3, timestamp=timestamp).runs(seconds=10)
    assert line.orders[0].produced == 3 + 5 * 4
    assert line.alerts("CLOCK_SKEW")


def test_a_separator_that_is_no_text_reaches_no_row():
    """ISO 8601 is read with any character between day and clock: PostgreSQL does not take all of them."""
    line = Line.at("10:00").runs(seconds=10)
    line.says(Kind.STATUS, action="reason", reason="x", at="2026-01-15\x0009:00")
    line.says(Kind.STATUS, action="plan", start="2026-01-15T11:00", end="2026-01-15\x0010:30", requestId="b")
    assert len(line.dead_letters) == 2
    assert not any("\0" in letter.detail for letter in line.dead_letters)


@pytest.mark.parametrize("key", ["a\0b", "\0", "a\n"])
def test_a_key_and_a_topic_that_no_bridge_wrote_reach_rows_without_nul(key: str):
    """Any client may write anything to Kafka."""
    headers = RawHeaders.decode([("kind", b"data"), ("topic", b"production/\0/data")])
    lines = Lines(Rules(1, read_plant("")), "production.raw", 0)
    [letter] = [change.form() for change in lines.apply(RawRecord(0, 0, at("10:00"), key, headers, b"{}"))]
    assert "\0" not in letter.line_id + letter.line + letter.mqtt_topic + letter.detail  # type: ignore[attr-defined]


@pytest.mark.parametrize("run", [b"-1", b"9" * 30, b"x"])
def test_a_run_that_no_bridge_counts_to_is_refused(run: bytes):
    """The line state must be able to hold it."""
    with pytest.raises(ValueError, match=r"run|invalid"):
        RawHeaders.decode([("kind", b"tick"), ("run", run)])


@pytest.mark.parametrize("received_at", [0, END - 1])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_first_and_the_last_time_that_a_record_may_have(received_at: int, zone: str):
    """Days, shifts and windows around it can be computed."""
    line = Line(received_at, f'[plant]\ntime_zone = "{zone}"')
    line.data(4).stops(minutes=2).runs(minutes=2).silent(minutes=5).runs(seconds=10)
    assert not line.dead_letters
    assert line.windows


@pytest.mark.parametrize("sum_", ["no_signal", "unknown", "micro_stops"])
def test_a_correction_of_what_is_in_no_figure_is_told_as_a_correction(sum_: str):
    """Time that was without signal, and was not after all: its row's sum is what changes."""
    rules = Rules(1, read_plant(""))
    context = RecordContext(rules, rules.line("a", 0), Calendars(rules).of("a"), "a", "a", 0, 0, at("10:00"))
    sums: dict[str, Any] = {sum_: -7}
    window = Window("w", at("10:00"), at("10:01"), at("10:00"), **sums)
    event = row(window, context).form()
    assert (event.reason, event.trs) == ("correction", None)  # type: ignore[attr-defined]


def test_silence_is_no_time_in_which_the_rate_was_low():
    """A low rate is known to have held for 32 s: 2 s, and 30 s of silence_s."""
    #  10:00:00 ▁ :02 ▁ ────── silence ────── 10:10:00 ▁ ▁ ▁ … :28 opens
    line = Line.at("10:00").runs(seconds=4, rate=50).silent(minutes=10)
    line.runs(seconds=20, rate=50)
    assert not line.alerts("LOW_RATE")
    line.runs(seconds=20, rate=50)
    [alert] = line.alerts("LOW_RATE")
    assert alert.started_at == "2026-01-15T09:00:00.000Z"


def test_silence_is_no_time_in_which_it_was_hot():
    """Two readings ten minutes apart prove no ten seconds above the threshold; closer ones do."""
    line = Line.at("10:00", "[line]\nsilence_s = 5").data(temperature=40).silent(minutes=10)
    line.data(temperature=40)
    assert not line.alerts("HIGH_TEMPERATURE")
    assert line.runs(seconds=10, temperature=40).alerts("HIGH_TEMPERATURE")


def test_an_alert_that_is_open_stays_open_through_silence():
    """No message reported that it is over."""
    line = Line.at("10:00").runs(seconds=30, temperature=40).silent(minutes=10).data(temperature=40)
    [alert] = line.alerts("HIGH_TEMPERATURE")
    assert (alert.status, isinstance(alert, AlertEvent)) == ("open", True)


def test_a_retained_status_counts_for_a_line_of_which_only_an_order_is_known():
    """An operator added the order; the machine was never heard."""
    line = Line.at("10:00").says(Kind.ORDER, productType="A", quantity=5)
    line.says(Kind.STATUS, bare=b"running", retain=True)
    assert (line.state.mode, line.dead_letters) == ("running", [])
    line.silent(seconds=5).says(Kind.STATUS, bare=b"stopped", retain=True)
    assert [letter.reason for letter in line.dead_letters] == ["retained"]
