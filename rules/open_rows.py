"""The list of a partition's open rows: the sinks close all others that PostgreSQL holds open."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import OpenAlerts, OpenDowntimes, OpenOrders, OpenRowsEvent
from schemas.ids import uuid_of
from schemas.state import LineState

EVERY_LINE = ""


def open_rows(states: Iterable[LineState], context: RecordContext) -> list[RowUpdate]:
    """The lists of what is open on all lines of a partition after the record; see `OpenRowsEvent`."""
    lines = tuple(states)
    return [_update(kind, lines, ids, context) for kind, ids in _OPEN.items()]


def _update(
    kind: type[OpenRowsEvent],
    lines: tuple[LineState, ...],
    ids: Callable[[LineState], Iterator[str]],
    context: RecordContext,
) -> RowUpdate:
    row_id = uuid_of("census", _NAMES[kind], context.partition, context.offset, context.received_at)
    still_open = tuple(row for line in lines for row in ids(line))
    return RowUpdate(kind, row_id, partial(_row, kind, row_id, still_open, context))


def _row(
    kind: type[OpenRowsEvent], row_id: str, still_open: tuple[str, ...], context: RecordContext
) -> OpenRowsEvent:
    stamp = context.stamp(row_id) | {"line_id": EVERY_LINE, "line": EVERY_LINE}
    return kind(**stamp, partition=context.partition, open=still_open, at=context.seen_at)


def _orders(state: LineState) -> Iterator[str]:
    if state.orders.running is not None:
        yield state.orders.running.id
    yield from (order.id for order in state.orders.waiting)


def _stops(state: LineState) -> Iterator[str]:
    if state.stop is not None:
        yield state.stop.id


def _alerts(state: LineState) -> Iterator[str]:
    yield from (alert.id for alert in state.alerts.held.values() if alert.id is not None)


_OPEN: dict[type[OpenRowsEvent], Callable[[LineState], Iterator[str]]] = {
    OpenOrders: _orders,
    OpenDowntimes: _stops,
    OpenAlerts: _alerts,
}

# They are part of the events' identifiers, and must never change.
_NAMES: dict[type[OpenRowsEvent], str] = {
    OpenOrders: "OrderCensus",
    OpenDowntimes: "DowntimeCensus",
    OpenAlerts: "AlertCensus",
}
