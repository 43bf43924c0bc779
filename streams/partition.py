"""A partition of the log: its lines, and which of them a record is for."""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.errors import Poison
from schemas.plant import Rules
from schemas.raw import LINE_ID, Kind, RawRecord
from schemas.state import LineState
from streams.cause import Cause
from streams.change import Change
from streams.dead_letters import dead_letter
from streams.fold import Fold

PARTITION = ""  # the key of a partition's own entry among its lines


class Lines:
    """The states of a partition's lines, and its own entry, after the last record applied.

    Records must come in the order of the log; one that a line has seen already changes nothing.
    """

    def __init__(self, rules: Rules, topic: str, partition: int, states: Iterable[LineState] = ()) -> None:
        self.topic = topic
        self.states = {state.line_id: state for state in states}
        self._fold = Fold(rules)
        if PARTITION not in self.states:
            # Nobody wrote all lines of this partition yet: one may be missing. From the log's start, each
            # line leaves out what it has seen.
            self.states[PARTITION] = LineState(line_id=PARTITION, partition=partition)
        # The lowest: a frozen worker may have put one line's state back.
        lowest = min(self.states.values(), key=lambda state: state.offset)
        self.next_offset = lowest.offset + 1
        self._run = lowest.run

    def apply(self, record: RawRecord) -> list[Change]:
        """Apply the next record: to its line, or, if it is a tick, to every line."""
        self.next_offset = record.offset + 1
        if record.headers.run < self._run:
            return []  # written by a bridge that another one had replaced
        self._run = record.headers.run
        if record.headers.kind is Kind.TICK:
            return [event for line_id in tuple(self.states) for event in self._line(line_id, record)]
        self._own(record)
        if record.headers.kind is Kind.UNROUTABLE:
            return [self._letter(record, Poison("unroutable", topic=record.headers.topic))]
        line_id = record.line_id or ""
        if not line_id or (line_id not in self.states and not LINE_ID.fullmatch(line_id)):
            if record.headers.kind is Kind.OVERSIZE:
                return [self._letter(record, Poison("oversize", length=record.headers.length))]
            return [self._letter(record, Poison("foreign", why=f"key {record.line_id!r}"))]
        return self._line(line_id, record)

    def foreign(self, record: RawRecord, why: str) -> list[Change]:
        """A record that no bridge wrote."""
        self.next_offset = record.offset + 1
        self._own(record)
        return [self._letter(record, Poison("foreign", why=why))]

    def _line(self, line_id: str, record: RawRecord) -> list[Change]:
        if line_id == PARTITION:
            self._own(record)
            return []
        state = self.states.get(line_id)
        if state is not None and record.offset <= state.offset:
            return []
        after, events = self._fold(state, record, self.topic)
        if after is not None:
            self.states[line_id] = after if after.run == self._run else replace(after, run=self._run)
        return events

    def _own(self, record: RawRecord) -> None:
        own = self.states[PARTITION]
        if record.offset > own.offset:
            received_at = max(own.received_at, record.received_at)
            self.states[PARTITION] = replace(
                own, offset=record.offset, run=self._run, received_at=received_at
            )

    def _letter(self, record: RawRecord, poison: Poison) -> Change:
        own = self.states[PARTITION]
        fold = self._fold
        cause = Cause(
            fold.rules,
            fold.rules.line(PARTITION, own.received_at),
            fold.shifts,
            record.line_id or PARTITION,
            record.partition,
            record.offset,
            own.received_at,
        )
        return dead_letter(record, poison, self.topic, cause)
