"""Dead letters: what can't be applied, kept with its bytes and a reason that a plant engineer understands."""

from functools import partial

from plant.catalogue import refusal
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.errors import Poison
from schemas.events import DeadLetterEvent
from schemas.ids import uuid_of
from schemas.raw import TICK, RawRecord


def dead_letter(record: RawRecord, poison: Poison, topic: str, context: RecordContext) -> RowUpdate:
    """The row of a record that can't be applied."""
    # The log's own time: a letter that was replayed stays so under rules that correct it.
    names = ("dead", topic, record.partition, record.offset, record.log_time)
    # A tick is of all lines, and may fail on some of them.
    row_id = uuid_of(*names, context.line_id) if record.headers.kind is TICK else uuid_of(*names)
    # An exception that was raised holds the frames that it went through, and through them this very change.
    # Changes are not seen by Python's garbage collector, so that circle, a whole batch, would stay for ever.
    why = Poison(poison.reason, **poison.facts)
    return RowUpdate(DeadLetterEvent, row_id, partial(_row, row_id, record, why, topic, context))


def _row(
    row_id: str, record: RawRecord, poison: Poison, topic: str, context: RecordContext
) -> DeadLetterEvent:
    return DeadLetterEvent(
        **context.stamp(row_id),
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        mqtt_topic=record.headers.topic or None,
        payload=record.payload,
        reason=poison.reason,
        detail=refusal(context.rules.language, poison),
        received_at=context.seen_at,
    )
