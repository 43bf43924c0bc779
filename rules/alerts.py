"""Alerts: conditions with a threshold, a delay and a deadband; at most one open per line and type."""

from functools import partial
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from plant.alert_rules import SEVERITY, AlertType
from plant.catalogue import sentence
from rules.line_clock import ACCEPT_FUTURE
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from schemas.events import AlertEvent, AlertStatus
from schemas.ids import uuid_of
from schemas.instant import MINUTE, SECOND, text_of
from schemas.state import Alert, Alerts, Mismatch, Mode


class Condition(Struct, frozen=True, gc=False):
    """What a record says of one alert: `value` beside `threshold`, in the alert's unit."""

    type: AlertType
    since: int  # ms; when it began, if it begins now
    at: int  # ms; the record's time
    opens: bool
    clears: bool
    value: float | None = None
    threshold: float | None = None
    delay_s: float = 0.0


def hold(alerts: Alerts, condition: Condition, context: RecordContext) -> tuple[Alerts, list[RowUpdate]]:
    """Begin, keep, open or end a condition.

    It opens once it has held for its delay, and then ends only where it clears; before that, it is
    forgotten as soon as it no longer holds.
    """
    held = alerts.held.get(condition.type)
    if held is None:
        if not condition.opens:
            return alerts, []
        held = Alert(since=condition.since, created_at=context.received_at)
    elif held.id is not None:
        if not condition.clears:
            return alerts, []
        return _without(alerts, condition.type), [
            _change(held, condition.type, "resolved", condition.at, context)
        ]
    elif not condition.opens:
        return _without(alerts, condition.type), []
    if condition.at - held.since - held.unheard < condition.delay_s * SECOND:
        return _with(alerts, condition.type, held), []
    held = replace(
        held,
        id=uuid_of("alert", context.event_id, condition.type),
        message=_message(condition, context),
        value=condition.value,
        threshold=condition.threshold,
        created_at=context.received_at,
    )
    return _with(alerts, condition.type, held), [_change(held, condition.type, "open", None, context)]


def on_sample(alerts: Alerts, sample: Sample, context: RecordContext) -> tuple[Alerts, list[RowUpdate]]:
    """Judge the conditions that follow from a data message that is not late."""
    updates: list[RowUpdate] = []
    alerts, share = _counted(alerts, sample, context)
    alerts, mismatch = _mismatch(alerts, sample, context)
    for condition in (
        _low_rate(alerts, sample, context),
        _high_temperature(alerts, sample, context),
        None if share is None else _high_defect_rate(alerts, share, sample, context),
        mismatch,
    ):
        if condition is not None:
            alerts, update = hold(alerts, condition, context)
            updates += update
    return alerts, updates


def on_state_change(
    alerts: Alerts, mode: Mode, at: int, stop_since: int, context: RecordContext
) -> tuple[Alerts, list[RowUpdate]]:
    """A line that stops or falls silent, or does so no more: MACHINE_STOP and NO_SIGNAL, at once."""
    updates: list[RowUpdate] = []
    for kind, present in (("MACHINE_STOP", mode == "stopped"), ("NO_SIGNAL", mode == "no_signal")):
        if present or kind in alerts.held:
            condition = Condition(kind, stop_since, at, present, not present)  # type: ignore[arg-type]
            alerts, update = hold(alerts, condition, context)
            updates += update
    return alerts, updates


def on_silence(alerts: Alerts, silence: int) -> Alerts:
    """The line said nothing for so long (ms): it does not count towards the delay of what is not open."""
    held = {
        kind: alert if alert.id is not None else replace(alert, unheard=alert.unheard + silence)
        for kind, alert in alerts.held.items()
    }
    return replace(alerts, held=held)


def on_clock(
    alerts: Alerts, at: int, off: int | None, since: int, right: bool, context: RecordContext
) -> tuple[Alerts, list[RowUpdate]]:
    """A timestamp was judged: CLOCK_SKEW.

    Args:
        alerts: the line's alerts.
        at: the message's time, ms.
        off: by how much (ms) its clock is ahead, negative: behind; None: it is believed.
        since: when it was first off, ms.
        right: no clock of the line is off any more.
        context: the record.
    """
    if off is not None:
        condition = Condition("CLOCK_SKEW", since, at, True, False, off / SECOND, ACCEPT_FUTURE / SECOND)
    elif right and "CLOCK_SKEW" in alerts.held:
        condition = Condition("CLOCK_SKEW", at, at, opens=False, clears=True)
    else:
        return alerts, []
    return hold(alerts, condition, context)


def end_all(alerts: Alerts, at: int, context: RecordContext) -> tuple[Alerts, list[RowUpdate]]:
    """Nobody watches the line any more: what is open ends, what might have opened is forgotten."""
    updates: list[RowUpdate] = []
    for kind in alerts.held:
        ended = Condition(cast("AlertType", kind), at, at, opens=False, clears=True)
        alerts, update = hold(alerts, ended, context)
        updates += update
    return alerts, updates


def _low_rate(alerts: Alerts, sample: Sample, context: RecordContext) -> Condition | None:
    rules, target, rate = context.line_rules.alerts, sample.target_rate, sample.rate
    held = "LOW_RATE" in alerts.held
    if sample.mode != "running":
        return Condition("LOW_RATE", sample.at, sample.at, False, True) if held else None
    if rate is None or target is None or target <= 0:
        return None
    opens = rate < target * rules.low_rate
    if not (opens or held):
        return None
    return Condition(
        "LOW_RATE",
        sample.at,
        sample.at,
        opens=opens,
        clears=rate >= target * rules.low_rate_clear,
        value=rate,
        threshold=target * rules.low_rate,
        delay_s=rules.low_rate_delay_s,
    )


def _high_temperature(alerts: Alerts, sample: Sample, context: RecordContext) -> Condition | None:
    rules, temperature = context.line_rules.alerts, sample.data.temperature
    if temperature is None:
        return None
    opens = temperature > rules.high_temperature
    if not (opens or "HIGH_TEMPERATURE" in alerts.held):
        return None
    return Condition(
        "HIGH_TEMPERATURE",
        sample.at,
        sample.at,
        opens=opens,
        clears=temperature < rules.high_temperature_clear,
        value=temperature,
        threshold=rules.high_temperature,
        delay_s=rules.high_temperature_delay_s,
    )


def _counted(alerts: Alerts, sample: Sample, context: RecordContext) -> tuple[Alerts, float | None]:
    """Note what was made; the share of defects in the latest messages that hold the pieces of the rule."""
    enough = context.line_rules.alerts.high_defect_rate_pieces
    if sample.pieces == 0 and (sample.defects == 0 or not alerts.recent):
        return alerts, None
    recent = (*alerts.recent, (sample.pieces, sample.defects))
    pieces = alerts.recent_pieces + sample.pieces
    defects = alerts.recent_defects + sample.defects
    if sample.pieces == 0:  # defects found since: they belong to the pieces before
        (last_pieces, last_defects), recent = recent[-2], recent[:-2]
        recent = (*recent, (last_pieces, last_defects + sample.defects))
    drop = 0
    while pieces - recent[drop][0] >= enough:
        pieces -= recent[drop][0]
        defects -= recent[drop][1]
        drop += 1
    alerts = replace(
        alerts,
        recent=recent[drop:],
        recent_pieces=pieces,
        recent_defects=defects,
        mismatch=_with_pieces(alerts.mismatch, sample),
    )
    return alerts, defects / pieces if pieces >= enough else None


def _high_defect_rate(
    alerts: Alerts, share: float, sample: Sample, context: RecordContext
) -> Condition | None:
    rules = context.line_rules.alerts
    opens = share > rules.high_defect_rate
    if not (opens or "HIGH_DEFECT_RATE" in alerts.held):
        return None
    return Condition(
        "HIGH_DEFECT_RATE",
        sample.at,
        sample.at,
        opens=opens,
        clears=share < rules.high_defect_rate_clear,
        value=share * 100,
        threshold=rules.high_defect_rate * 100,
    )


def _mismatch(alerts: Alerts, sample: Sample, context: RecordContext) -> tuple[Alerts, Condition | None]:
    """Counted pieces beside the reported rate, both over the running time that the rule asks for."""
    rules, mismatch = context.line_rules.alerts, alerts.mismatch
    if mismatch is None:
        return replace(alerts, mismatch=Mismatch(start=sample.at)), None
    if mismatch.running < rules.rate_mismatch_s * SECOND:
        return alerts, None
    apart = abs(mismatch.pieces - mismatch.reported) > rules.rate_mismatch * max(mismatch.reported, 1.0)
    condition = Condition(
        "RATE_MISMATCH",
        mismatch.start,
        sample.at,
        opens=apart,
        clears=not apart,
        value=mismatch.pieces * 60 * SECOND / mismatch.running,
        threshold=mismatch.reported * 60 * SECOND / mismatch.running,
    )
    known = apart or "RATE_MISMATCH" in alerts.held
    return replace(alerts, mismatch=Mismatch(start=sample.at)), condition if known else None


def on_running_time(alerts: Alerts, running: int, rate: float | None) -> Alerts:
    """Add running time (ms) at a reported rate to what RATE_MISMATCH compares."""
    mismatch = alerts.mismatch
    if mismatch is None or rate is None or running <= 0:
        return alerts
    return replace(
        alerts,
        mismatch=replace(
            mismatch,
            running=mismatch.running + running,
            reported=mismatch.reported + rate * running / MINUTE,
        ),
    )


def _with_pieces(mismatch: Mismatch | None, sample: Sample) -> Mismatch | None:
    if mismatch is None or sample.rate is None:
        return mismatch
    return replace(mismatch, pieces=mismatch.pieces + sample.pieces)


def _with(alerts: Alerts, kind: AlertType, alert: Alert) -> Alerts:
    return replace(alerts, held={**alerts.held, kind: alert})


def _without(alerts: Alerts, kind: AlertType) -> Alerts:
    return replace(alerts, held={key: value for key, value in alerts.held.items() if key != kind})


def _message(condition: Condition, context: RecordContext) -> str:
    facts = {"value": condition.value or 0.0, "threshold": condition.threshold or 0.0}
    return sentence(context.rules.language, f"alerts.{condition.type}", **facts)


def _change(
    alert: Alert, kind: AlertType, status: AlertStatus, resolved_at: int | None, context: RecordContext
) -> RowUpdate:
    assert alert.id is not None
    return RowUpdate(AlertEvent, alert.id, partial(_row, alert, kind, status, resolved_at, context))


def _row(
    alert: Alert, kind: AlertType, status: AlertStatus, resolved_at: int | None, context: RecordContext
) -> AlertEvent:
    assert alert.id is not None
    return AlertEvent(
        **context.stamp(alert.id),
        type=kind,
        severity=SEVERITY[kind],
        message=alert.message,
        value=alert.value,
        threshold=alert.threshold,
        status=status,
        started_at=text_of(alert.since),
        resolved_at=None if resolved_at is None else text_of(max(resolved_at, alert.since)),
        created_at=text_of(alert.created_at),
        updated_at=context.seen_at,
    )
