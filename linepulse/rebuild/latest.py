"""Rows that still change: of each, only the last form before a checkpoint is ever formed and written."""

from collections import defaultdict
from dataclasses import dataclass, field

from linepulse.rebuild.rows import TABLE_OF, line_of
from schemas.events import CensusEvent, Event
from schemas.instant import text_of
from sinks.tables import Table
from streams.change import Change


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
        self._changes: dict[tuple[type[Event], str], Change] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def put(self, change: Change) -> None:
        """A row takes another form."""
        self._changes[change.kind, change.id] = change

    def take(self, until: int) -> Formed:
        """Form what changed; from now on, rows created up to `until` (ms) may stand in the tables."""
        formed = Formed()
        for change in self._changes.values():
            if issubclass(change.kind, CensusEvent):
                continue  # no row
            event = change.form()
            lines = formed.new if event.created_at > self._until else formed.again  # type: ignore[attr-defined]
            lines[TABLE_OF[change.kind]].append(line_of(event))
        self._changes.clear()
        self._until = text_of(until)
        return formed
