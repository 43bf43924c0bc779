"""Rows that still change: of each, only the last form before a checkpoint is ever formed and written."""

from collections import defaultdict
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from rules.partition import PARTITION, Lines
from rules.row_update import RowUpdate
from schemas.events import Event, OpenRowsEvent
from schemas.instant import text_of
from sinks.tables import TABLE_OF, Table, line_of
from streams.agent import unformed

LATER = "~"  # than any time: of a row that never changes, and is new


@dataclass
class Formed:
    """Lines for COPY, by table."""

    new: defaultdict[Table, list[str]] = field(default_factory=lambda: defaultdict(list))
    again: defaultdict[Table, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of rows that may have been written before."""


class Latest:
    """The last change of each row since the last checkpoint.

    An order changes with each message, a window once a second: at a checkpoint each is written once. A row
    that was created before the checkpoint before may have been written then; such rows are few.
    """

    def __init__(self, written_until: int | None) -> None:
        """`written_until`: rows created up to then (ms) may stand in the tables; None: there are none."""
        self._until = "" if written_until is None else text_of(written_until)
        self._changes: dict[tuple[type[Event], str], tuple[RowUpdate, ConsumerRecord]] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, change: RowUpdate, record: ConsumerRecord) -> None:
        """A row takes another form, by a record."""
        self._changes[change.kind, change.id] = change, record

    def take(self, lines: Lines) -> Formed:
        """Form what changed; from now on, rows created up to now may stand in the tables."""
        formed, until = Formed(), lines.states[PARTITION].received_at
        for change, record in self._changes.values():
            if issubclass(change.kind, OpenRowsEvent):
                continue  # no row
            event, line = written(lines, change, record)
            created_at = getattr(event, "created_at", LATER)
            rows = formed.new if created_at > self._until else formed.again
            rows[TABLE_OF[type(event)]].append(line)
        self._changes.clear()
        self._until = text_of(until)
        return formed


def written(lines: Lines, change: RowUpdate, record: ConsumerRecord) -> tuple[Event, str]:
    """The row's form, and its line for COPY; where that fails, those of the record's dead letter.

    What is and is not promised then: see `streams.agent.fold_batch`.
    """
    try:
        event = change.form()
        return event, line_of(event)
    except Exception as error:
        letter = unformed(lines, record, error)
        return letter, line_of(letter)
