"""Rows that still change: of each, only the last form before a checkpoint is formed and written."""

from collections import defaultdict
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from rules.partition import PARTITION, Lines
from rules.row_update import RowUpdate
from schemas.events import Event, OpenRowsEvent
from schemas.instant import text_of
from sinks.tables import TABLE_OF, Table, line_of
from streams.agent import unformed

LATER = "~"  # sorts after any time: for a row that never changes, which is always new


@dataclass
class FormedRows:
    """Lines for COPY, by table.

    Attributes:
        new: of rows that are not in the tables.
        upserts: of rows that may have been written before.
    """

    new: defaultdict[Table, list[str]] = field(default_factory=lambda: defaultdict(list))
    upserts: defaultdict[Table, list[str]] = field(default_factory=lambda: defaultdict(list))


class LatestUpdates:
    """The latest update of each row since the last checkpoint.

    An order changes with each message, a window once a second: at a checkpoint each is written once. A row
    that was created before the previous checkpoint may have been written then; such rows are few.
    """

    def __init__(self, written_until: int | None) -> None:
        """`written_until`: rows created up to then (ms) may be in the tables; None: the tables are empty."""
        self._until = "" if written_until is None else text_of(written_until)
        self._changes: dict[tuple[type[Event], str], tuple[RowUpdate, ConsumerRecord]] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, change: RowUpdate, record: ConsumerRecord) -> None:
        """Remember the latest update of a row, and the record behind it."""
        self._changes[change.kind, change.id] = change, record

    def take(self, lines: Lines) -> FormedRows:
        """Form all rows that changed, and forget them; rows created up to now may then be in the tables."""
        formed, until = FormedRows(), lines.states[PARTITION].received_at
        for change, record in self._changes.values():
            if issubclass(change.kind, OpenRowsEvent):
                continue  # no row
            event, line = formed_row(lines, change, record)
            created_at = getattr(event, "created_at", LATER)
            rows = formed.new if created_at > self._until else formed.upserts
            rows[TABLE_OF[type(event)]].append(line)
        self._changes.clear()
        self._until = text_of(until)
        return formed


def formed_row(lines: Lines, change: RowUpdate, record: ConsumerRecord) -> tuple[Event, str]:
    """The row's event, and its line for COPY; if it can't be formed, those of the record's dead letter.

    `streams.agent.fold_batch` says what is and is not promised then.
    """
    try:
        event = change.form()
        return event, line_of(event)
    except Exception as error:
        letter = unformed(lines, record, error)
        return letter, line_of(letter)
