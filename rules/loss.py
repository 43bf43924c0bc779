"""Lost records: a dead letter says which ones, and whether they had been applied."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from plant.catalogue import sentence
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import DeadLetterEvent
from schemas.ids import uuid_of
from schemas.raw import RawRecord


@dataclass(frozen=True)
class Loss:
    """The loss of the records `first` to `last` of a partition.

    `expired`: retention deleted them before they were applied. `log_lost`: they were applied, and the log
    that held them no longer exists; the present one was made anew.
    """

    reason: Literal["expired", "log_lost"]
    first: int
    last: int
    mark: int  # ms; distinguishes losses at the same offsets: the lost log's last known time

    def letter(self, record: RawRecord, topic: str, context: RecordContext) -> RowUpdate:
        """The dead letter, caused by the first record after the loss."""
        row_id = uuid_of(self.reason, topic, record.partition, self.first, self.last, self.mark)
        return RowUpdate(DeadLetterEvent, row_id, partial(self._row, row_id, topic, context))

    def _row(self, row_id: str, topic: str, context: RecordContext) -> DeadLetterEvent:
        return DeadLetterEvent(
            **context.stamp(row_id) | {"line_id": "", "line": ""},
            topic=topic,
            partition=context.partition,
            offset=self.first,
            mqtt_topic=None,
            payload=b"",
            reason=self.reason,
            detail=sentence(
                context.rules.language, f"poison.{self.reason}", first=self.first, last=self.last
            ),
            received_at=context.seen_at,
        )
