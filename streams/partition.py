"""A partition of the log: its lines, and which of them a record is for."""

from collections.abc import Iterable

from msgspec.structs import replace

from runtime import metrics
from schemas.errors import Poison
from schemas.events import Event
from schemas.instant import END
from schemas.plant import Rules
from schemas.raw import LINE_ID, OVERSIZE, TICK, UNROUTABLE, RawRecord
from schemas.state import LineState
from streams.cause import Cause
from streams.census import census
from streams.change import Change
from streams.dead_letters import dead_letter
from streams.failures import Failure, Observer, internal, report
from streams.fold import Fold
from streams.loss import Loss

PARTITION = ""  # the key of a partition's own entry among its lines


class Lines:
    """The states of a partition's lines, and its own entry, after the last record applied.

    Records must come in the order of the log; one that a line has seen already changes nothing.

    Args:
        states: what is known of the lines. Without the partition's own entry among them, nobody wrote all of
            them yet and one may be missing: then they count for nothing, and the log is read from its start.
        log_end: where the log ends now; what is open in PostgreSQL and unknown here after that is of a log
            that was lost. Asked for only without the own entry.
        failed: hears of records that could not be applied because a rule failed.
    """

    def __init__(
        self,
        rules: Rules,
        topic: str,
        partition: int,
        states: Iterable[LineState] = (),
        log_end: int | None = None,
        failed: Observer = report,
    ) -> None:
        self.topic = topic
        self.loss: Loss | None = None  # what was lost before the next record
        self.void = 0  # records left out, until somebody tells of them
        self._failed = failed
        self._fold = Fold(rules, failed)
        known = {state.line_id: state for state in states}
        if PARTITION not in known:
            known = {PARTITION: LineState(line_id=PARTITION, partition=partition, census=log_end)}
        self.states = known
        # The lowest: a frozen worker may have put one line's state back.
        lowest = min(known.values(), key=lambda state: state.offset)
        self.next_offset = lowest.offset + 1
        self._run = lowest.run

    @property
    def applied(self) -> int:
        """The offset after the last record that some line has seen."""
        return max(state.offset for state in self.states.values()) + 1

    def catch_up(self) -> None:
        """Note on every line that it has seen all that its partition has: none need be read again for it.

        A line that is ahead (after a crash, the partition's own entry is behind) keeps what it has seen.
        """
        own = self.states[PARTITION]
        self.states = {
            name: replace(state, offset=own.offset, run=own.run) if state.offset < own.offset else state
            for name, state in self.states.items()
        }

    def apply(self, record: RawRecord) -> list[Change]:
        """Apply the next record: to its line, or, if it is a tick, to every line."""
        self.next_offset = record.offset + 1
        run = record.headers.run
        if run < self._run:
            metrics.VOID.inc()
            self.void += 1
            return []  # written by a bridge that another one had replaced
        self._run = run
        self._own(record)
        changes = self._change(record)
        if self.loss is not None:
            changes.append(self.loss.letter(record, self.topic, self._cause(record)))
            self.loss = None
        own = self.states[PARTITION]
        if own.census is not None and own.offset + 1 >= own.census:
            changes += census(self.states.values(), self._cause(record))
            self.states[PARTITION] = replace(own, census=None)
        return changes

    def foreign(self, record: RawRecord, why: str) -> list[Change]:
        """A record that no bridge wrote."""
        self.next_offset = record.offset + 1
        self._own(record)
        return [self._letter(record, Poison("foreign", why=why))]

    def unformed(self, record: RawRecord, error: Exception) -> Event:
        """A row that the record changes can't be formed or written: the record's dead letter in its place."""
        line_id = record.line_id or PARTITION
        # Whatever came after the record by now: each reading of the log tells the same of it.
        cause = replace(self._cause(record), received_at=record.received_at)
        letter = dead_letter(record, internal(error), self.topic, cause)
        self._failed(Failure(line_id, record.partition, record.offset, error))
        return letter.form()

    def _change(self, record: RawRecord) -> list[Change]:
        kind = record.headers.kind
        if kind is TICK:
            return [event for line_id in tuple(self.states) for event in self._line(line_id, record)]
        if kind is UNROUTABLE:
            return [self._letter(record, Poison("unroutable", topic=record.headers.topic))]
        line_id = record.line_id or ""
        if not line_id or (line_id not in self.states and not LINE_ID.fullmatch(line_id)):
            if kind is OVERSIZE:
                return [self._letter(record, Poison("oversize", length=record.headers.length))]
            return [self._letter(record, Poison("foreign", why=f"key {record.line_id!r}"))]
        return self._line(line_id, record)

    def _line(self, line_id: str, record: RawRecord) -> list[Change]:
        if line_id == PARTITION:
            return []
        state = self.states.get(line_id)
        if state is not None and record.offset <= state.offset:
            return []
        after, events = self._fold(state, record, self.topic)
        if after is not None:
            log = self.states[PARTITION].log
            if after.run != self._run or after.log != log:
                after = replace(after, run=self._run, log=log)
            self.states[line_id] = after
        return events

    def _own(self, record: RawRecord) -> None:
        own = self.states[PARTITION]
        if record.offset > own.offset:
            # A time that no record can have is not believed, or all that follows would be of it.
            at = record.received_at if record.received_at < END else own.received_at
            self.states[PARTITION] = replace(
                own,
                offset=record.offset,
                time=record.received_at,
                log=own.log or record.received_at,
                run=self._run,
                received_at=at if at > own.received_at else own.received_at,
            )

    def _letter(self, record: RawRecord, poison: Poison) -> Change:
        return dead_letter(record, poison, self.topic, self._cause(record))

    def _cause(self, record: RawRecord) -> Cause:
        own, line_id = self.states[PARTITION], (record.line_id or PARTITION).replace("\0", "�")
        fold = self._fold
        return Cause(
            fold.rules,
            fold.rules.line(PARTITION, own.received_at),
            fold.calendars.of(PARTITION),
            line_id,
            fold.rules.name(line_id, own.received_at),
            record.partition,
            record.offset,
            own.received_at,
        )
