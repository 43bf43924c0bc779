"""Dead letters: records that can't be applied, kept with their bytes and a reason for a plant engineer."""

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
    # The uncorrected log time: the id, and with it `replayedAt`, must survive rules that correct the time.
    names = ("dead", topic, record.partition, record.offset, record.log_time)
    # A tick is applied to every line, and may fail on several.
    row_id = uuid_of(*names, context.line_id) if record.headers.kind is TICK else uuid_of(*names)
    # A raised exception refers to the frames that it passed through, and through them to this very update.
    # Python's garbage collector does not track updates: the cycle, with a whole batch, would never be freed.
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
