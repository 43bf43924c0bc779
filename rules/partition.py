"""A partition of the log: its lines' states, and which of its lines a record is applied to."""

from collections.abc import Iterable

from msgspec.structs import replace

from plant.rules import Rules
from rules import admission
from rules.dead_letters import dead_letter
from rules.failures import Failure, Observer, internal, raise_failure
from rules.fold import Fold
from rules.loss import Loss
from rules.open_rows import open_rows
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.errors import Poison
from schemas.events import Event
from schemas.instant import END
from schemas.raw import DATA, LINE_ID, OVERSIZE, TICK, UNROUTABLE, RawRecord
from schemas.state import LineState, Undeclared

PARTITION = ""  # the key of a partition's own entry among its lines


class Lines:
    """The states of a partition's lines, and its own entry, after the last record applied.

    Records must come in the order of the log; a record that a line has seen already does not change it.

    Args:
        states: of the lines and the partition's own entry. Without the own entry, not all of them were
            written and one may be missing: then all are ignored, and the log is read from its start.
        log_end: where the log ends now. Rows that are still open in PostgreSQL at that offset and unknown
            here belong to a lost log. Needed only without the own entry.
        failed: called with each record on which a rule failed.
    """

    def __init__(
        self,
        rules: Rules,
        topic: str,
        partition: int,
        states: Iterable[LineState] = (),
        log_end: int | None = None,
        failed: Observer = raise_failure,
    ) -> None:
        self.topic = topic
        self.loss: Loss | None = None  # records lost before the next one
        self.void = 0  # void records skipped since they were last reported
        self._failed = failed
        self._fold = Fold(rules, failed)
        self._true_time = rules.true_time
        self._was_wrong = bool(rules.true_time)  # an attribute, because every record needs it
        self._about = rules.plant.plant
        self._declared = frozenset(rules.named)
        self._too_many: list[str] = []  # lines of an older release that are dropped with the next record
        known = {state.line_id: state for state in states}
        if PARTITION not in known:
            own = LineState(
                line_id=PARTITION, partition=partition, open_rows_due=log_end, undeclared=Undeclared()
            )
            known = {PARTITION: own}
        self.states = known
        self._reconcile_undeclared()
        # The lowest offset: a frozen worker may have written one line's older state again.
        lowest = min(known.values(), key=lambda state: state.offset)
        self.next_offset = lowest.offset + 1
        self._run = lowest.run

    @property
    def applied(self) -> int:
        """The offset after the last record that any line has seen."""
        return max(state.offset for state in self.states.values()) + 1

    def catch_up(self) -> None:
        """Raise every line's offset to the partition's: no record need be read again for it.

        A line that is ahead (after a crash, the partition's own entry is behind) keeps its offset.
        """
        own = self.states[PARTITION]
        self.states = {
            name: replace(state, offset=own.offset, run=own.run) if state.offset < own.offset else state
            for name, state in self.states.items()
        }

    def apply(self, record: RawRecord) -> list[RowUpdate]:
        """Apply the next record: a tick to every line, any other record to its line."""
        self.next_offset = record.offset + 1
        run = record.headers.run
        if run < self._run:
            self.void += 1
            return []  # written by a bridge that had been replaced by another one
        self._run = run
        if self._was_wrong:
            record = self._corrected(record)
        first = self._advance(record)
        updates = self._apply_next(record, first)
        if self._too_many:
            updates += self._drop(self._too_many, record)
            self._too_many = []
        if self.loss is not None:
            updates.append(self.loss.letter(record, self.topic, self._context(record)))
            self.loss = None
        own = self.states[PARTITION]
        if own.open_rows_due is not None and own.offset + 1 >= own.open_rows_due:
            updates += open_rows(self.states.values(), self._context(record))
            self.states[PARTITION] = replace(own, open_rows_due=None)
        return updates

    def foreign(self, record: RawRecord, why: str) -> list[RowUpdate]:
        """The rows of a record that no bridge wrote: a dead letter."""
        self.next_offset = record.offset + 1
        self._advance(record)
        return [self._letter(record, Poison("foreign", why=why))]

    def unformed(self, record: RawRecord, error: Exception) -> Event:
        """The dead letter of a record of which a row can't be formed or written; it replaces that row."""
        record = self._corrected(record)
        line_id = record.line_id or PARTITION
        # By the record's own time: records after it may have been applied, and must not change its letter.
        context = replace(self._context(record), received_at=record.received_at)
        letter = dead_letter(record, internal(error), self.topic, context)
        self._failed(Failure(line_id, record.partition, record.offset, error))
        return letter.form()

    def _reconcile_undeclared(self) -> None:
        """Make the undeclared lines those that the own entry lists, as of its offset."""
        own = self.states[PARTITION]
        others = {
            name: state
            for name, state in self.states.items()
            if name != PARTITION and name not in self._declared
        }
        if own.undeclared is None:
            undeclared, self._too_many = admission.from_older_release(
                others.values(), own, self._about.max_lines
            )
            self.states[PARTITION] = replace(own, undeclared=undeclared)
            return
        for name in others.keys() - own.undeclared.lines.keys():
            # It was admitted later, and is read again; or it was dropped, and a frozen worker wrote it.
            del self.states[name]

    @property
    def _undeclared(self) -> Undeclared:
        undeclared = self.states[PARTITION].undeclared
        assert undeclared is not None
        return undeclared

    def _apply_next(self, record: RawRecord, first: bool) -> list[RowUpdate]:
        kind = record.headers.kind
        if kind is TICK:
            updates = [event for line_id in tuple(self.states) for event in self._line(line_id, record)]
            if first and (
                names := admission.due_for_removal(self._undeclared, self.states[PARTITION].received_at)
            ):
                self._admit(admission.without(self._undeclared, names))
                updates += self._drop(names, record)
            return updates
        if kind is UNROUTABLE:
            return [self._letter(record, Poison("unroutable", topic=record.headers.topic))]
        line_id = record.line_id or ""
        if not line_id or (line_id not in self.states and not LINE_ID.fullmatch(line_id)):
            if kind is OVERSIZE:
                return [self._letter(record, Poison("oversize", length=record.headers.length))]
            return [self._letter(record, Poison("foreign", why=f"key {record.line_id!r}"))]
        if line_id in self._declared or (kind is DATA and self._is_permanent(line_id)):
            return self._line(line_id, record)
        return self._message(line_id, record, first)

    def _is_permanent(self, line_id: str) -> bool:
        """Whether an undeclared line is permanent already: `_message` would not change the own entry."""
        guest = self._undeclared.lines.get(line_id) if line_id in self.states else None
        return guest is not None and guest.messages == admission.ENOUGH

    def _message(self, line_id: str, record: RawRecord, first: bool) -> list[RowUpdate]:
        """Apply a message of an undeclared line.

        Args:
            first: whether the own entry sees the record for the first time. Which lines are admitted, and for
                how long, follows only from the own entry and the records after it; a line's state may be
                ahead of the own entry, or missing.
        """
        own, known = self.states[PARTITION], self._undeclared
        if not first:
            # A line that was admitted then has a state, and a message that was refused is a dead letter.
            return self._line(line_id, record) if line_id in self.states else []
        if line_id in known.lines:
            after = admission.after_message(known, record, own.received_at)
            if after is not known:
                self._admit(after)
            # Without a state: the line is dropped later in the log, and its rows up to then are published.
            updates = self._line(line_id, record) if line_id in self.states else []
            if line_id not in after.lines and line_id in self.states:
                # A rule failed on the record that should have ended the line.
                updates += self._drop([line_id], record)
            return updates
        poison = admission.refusal(known, line_id, own.received_at, self._about)
        if poison is not None:
            return [self._letter(record, poison)]
        state, events = self._fold(None, record, self.topic)
        if state is None:
            return events
        self._admit(admission.admit(known, record, own.received_at, self._about))
        self._keep(state)
        return events

    def _admit(self, undeclared: Undeclared) -> None:
        self.states[PARTITION] = replace(self.states[PARTITION], undeclared=undeclared)

    def _drop(self, names: Iterable[str], record: RawRecord) -> list[RowUpdate]:
        """Close what is open on lines, and remove their states."""
        updates: list[RowUpdate] = []
        for line_id in names:
            state = self.states.pop(line_id, None)
            # If its state is ahead, its end has been published, and it was admitted again since.
            if state is not None and state.offset <= record.offset:
                updates += self._fold.drop_line(state, record, self.topic)
        return updates

    def _line(self, line_id: str, record: RawRecord) -> list[RowUpdate]:
        if line_id == PARTITION:
            return []
        state = self.states.get(line_id)
        if state is not None and record.offset <= state.offset:
            return []
        begins_anew = state is not None and state.forgotten and record.headers.kind is not TICK
        after, events = self._fold(None if begins_anew else state, record, self.topic)
        if after is not None:
            self._keep(after)
        return events

    def _keep(self, state: LineState) -> None:
        if state.forgotten and state.line_id not in self._declared:
            self.states.pop(state.line_id, None)
            return
        log = self.states[PARTITION].log
        if state.run != self._run or state.log != log:
            state = replace(state, run=self._run, log=log)
        self.states[state.line_id] = state

    def _corrected(self, record: RawRecord) -> RawRecord:
        """The record with its true time of receipt, if the rules say that the log's time was wrong."""
        at = self._true_time.of(record.received_at, record.headers.run)
        if at == record.received_at:
            return record
        return replace(record, received_at=at, wrong_time=record.received_at)

    def _advance(self, record: RawRecord) -> bool:
        """Move the own entry on to the record; False if it had seen the record already."""
        own = self.states[PARTITION]
        first = record.offset > own.offset
        if first:
            # An impossible time is not believed: log time never runs backwards, and would stay there.
            at = record.received_at if record.received_at < END else own.received_at
            self.states[PARTITION] = replace(
                own,
                offset=record.offset,
                time=record.log_time,  # identifies the log, so that one made anew is noticed
                log=own.log or record.log_time,
                run=self._run,
                received_at=at if at > own.received_at else own.received_at,
            )
        return first

    def _letter(self, record: RawRecord, poison: Poison) -> RowUpdate:
        return dead_letter(record, poison, self.topic, self._context(record))

    def _context(self, record: RawRecord) -> RecordContext:
        own, line_id = self.states[PARTITION], (record.line_id or PARTITION).replace("\0", "�")
        fold = self._fold
        return RecordContext(
            fold.rules,
            fold.rules.line(PARTITION, own.received_at),
            fold.calendars.of(PARTITION),
            line_id,
            fold.rules.name(line_id, own.received_at),
            record.partition,
            record.offset,
            own.received_at,
        )
