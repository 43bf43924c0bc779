"""The narrated log's lines about stored rows. A flood of them costs little: see `Narrator.wants`."""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from runtime.narrator import Narrator
from schemas.events import AlertEvent, DeadLetterEvent, Event, KpiEvent, OrderEvent, SampleEvent

Line = tuple[str, dict[str, Any]]  # a key of the catalogue, and the values for its sentence
NOTHING = "–"


def narrate(narrator: Narrator, events: Sequence[Event], added: Container[str] = ()) -> None:
    """Narrate events that became rows, in their order; `added`: the ids of rows that are new."""
    new = {event.id for event in events if event.id in added}
    for index, event in enumerate(events):
        if not narrator.wants():
            narrator.skip(len(events) - index)
            return
        for key, facts in lines(event, event.id in new):
            narrator.event(key, **facts)
        new.discard(event.id)


def lines(event: Event, is_new: bool) -> Iterable[Line]:
    """The sentence for an event, if it has one; a stop's is that of its alert."""
    match event:
        case SampleEvent():
            rate = NOTHING if event.actual_rate is None else f"{event.actual_rate:g}"
            yield "sinks.sample", {"pieces": event.bottles_produced, "rate": rate}
        case OrderEvent():
            yield from _order(event, is_new)
        case KpiEvent() if event.trs is not None:
            yield "sinks.kpi", {"trs": f"{event.trs:.1f}"}
        case AlertEvent() if event.status == "open" and is_new:
            yield "sinks.alert", {"line": event.line, "message": event.message}
        case DeadLetterEvent():
            where = {"topic": event.topic, "partition": event.partition, "offset": event.offset}
            yield "sinks.dead_letter", {"line": event.line, "detail": event.detail, **where}


def _order(event: OrderEvent, is_new: bool) -> Iterator[Line]:
    number, quantity = event.order_number, event.quantity
    if is_new:
        yield "sinks.order_created", {"number": number, "quantity": quantity}
    if event.status in ("running", "completed"):
        percent = event.produced * 100 // quantity if quantity else 100
        progress = {"produced": event.produced, "quantity": quantity, "percent": percent}
        yield "sinks.order_progress", {"number": number, **progress}
