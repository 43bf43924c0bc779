"""The stream stage's store: each line's state in a Faust table, with the offset of its last record."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from faust.types import TP
from msgspec.structs import replace

from plant.rules import Rules
from rules.loss import Loss
from rules.partition import PARTITION, Lines
from runtime import metrics
from runtime.log_end import Applied, Logs
from runtime.narrator import Narrator
from schemas.instant import SECOND
from schemas.state import LineState, decode, encode
from streams.changelog import key_of
from streams.sent import Sent

REWRITE = 15 * SECOND  # at least so often, so that a quiet line does not make its partition restart far back
SAVE_S = 1.0  # at most so often: a batch costs no write; after a crash, a second of records is read again


class LineStore:
    """Lines by partition: read from the table after each recovery, written back when they change."""

    def __init__(
        self,
        rules: Rules,
        topic: str,
        table: Any,
        logs: Logs,
        narrator: Narrator,
        sent: Sent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._topic = topic
        self._table = table
        self._logs = logs
        self._narrator = narrator
        self._sent = sent
        self._again: dict[int, str] = {}  # partitions to read again: their derived topic that was lost
        self._clock = clock
        self._lines: dict[int, Lines] = {}
        self._written: dict[int, dict[str, LineState]] = {}
        self._stale: dict[int, set[bytes]] = {}  # entries of a lost log
        self._durable: dict[int, LineState] = {}  # partitions' own entries after the last save
        self._answers: dict[int, list[Any]] = {}  # the changelog's answers to the last save
        self._saved_at: dict[int, float] = {}

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """Read the lines of partitions from the table, and return the next offset of each partition.

        This is the start of the log if the partition has no own entry, if its log is not the one that was
        applied, if a line's state is of another log, or if a derived topic lost what was sent to it. What is
        in memory is discarded: only what the table holds is known to be durable.

        Raises:
            Unavailable: Kafka does not answer now.
            KafkaError: Kafka did not store the last save.
        """
        for tp in partitions:
            await self.settled(tp.partition)
        held = self._held(partitions)
        owns = {tp: held[tp.partition].get(PARTITION) for tp in partitions}
        ends = await self._logs.ends([tp for tp, own in owns.items() if own is None])
        others = await self._logs.others(
            {tp: Applied(own.offset, own.time) for tp, own in owns.items() if own and own.offset >= 0}
        )
        mixed = {tp for tp, own in owns.items() if own and _of_another_log(held[tp.partition].values(), own)}
        again = await self._to_read_again(owns)
        ends = {**ends, **await self._logs.ends(others | mixed | again)}
        for tp in partitions:
            self._begin(tp, held[tp.partition], ends.get(tp))
            self._again.pop(
                tp.partition, None
            )  # only now: if Kafka had not answered, it would be tried again
            own = owns[tp]
            if tp in others and own is not None:
                self._report_lost(tp, own)
            self._sent.begin(tp.partition, {} if tp in ends or own is None else own.sent)
        return {tp: self._lines[tp.partition].next_offset for tp in partitions}

    def read_again(self, partition: int, topic: str) -> None:
        """Let the next `positions` read a partition again, because `topic` lost what was sent to it."""
        self._again[partition] = topic

    def lines(self, partition: int) -> Lines:
        """The lines of a partition."""
        return self._lines[partition]

    def lost(self, tp: TP, position: int, begin: int) -> int:
        """How many of the deleted records before `begin` no line has seen; a dead letter will report them."""
        lines = self._lines[tp.partition]
        first = max(position, lines.applied)
        if first >= begin:
            return 0
        lines.loss = Loss("expired", first, begin - 1, lines.states[PARTITION].time)
        return begin - first

    async def settled(self, partition: int) -> None:
        """Wait until the last save is durable.

        Raises:
            KafkaError: Kafka did not store it: the states in memory are ahead of the changelog.
        """
        answers = self._answers.get(partition)
        if answers:
            await asyncio.wait(answers)  # unlike gather, it does not cancel the answers when it is cancelled
            for answer in answers:
                answer.result()
            if self._answers.get(partition) is answers:
                del self._answers[partition]

    def save(self, partition: int) -> None:
        """Write the lines that changed to the table and its changelog, if the last save was SAVE_S ago.

        The partition's own entry is never ahead of a line: it holds the position after the previous save,
        which is `settled`. So if a crash between two writes loses a new line, the partition restarts before
        that line's first record. Lines of which only ticks are new are written every REWRITE.
        """
        if self._clock() - self._saved_at.get(partition, -SAVE_S) >= SAVE_S:
            self._saved_at[partition] = self._clock()
            self._save(partition, every=False)

    async def flush(self, partition: int) -> None:
        """Make all that was applied durable, so that the next worker continues from there.

        Raises:
            KafkaError: Kafka did not store it.
        """
        self._lines[partition].catch_up()
        for _ in range(2):  # the own entry is written one save late
            await self.settled(partition)
            self._save(partition, every=True)
        await self.settled(partition)

    def _save(self, partition: int, *, every: bool) -> None:
        lines, written = self._lines[partition].states, self._written[partition]
        lines[PARTITION] = replace(lines[PARTITION], sent=self._sent.places(partition))
        durable = self._durable.get(partition)
        self._durable[partition] = lines[PARTITION]
        others = [state for line_id, state in lines.items() if line_id != PARTITION]
        changed = [
            state
            for state in (*others, durable)
            if state is not None and _due(written.get(state.line_id), state, every=every)
        ]
        stale = self._stale.pop(partition, set()) - {key_of(state) for state in (*others, lines[PARTITION])}
        self._answers[partition] = [self._put(partition, state) for state in changed]
        self._answers[partition] += [self._delete(partition, key) for key in stale]
        for line_id in [line_id for line_id in written if line_id not in lines]:  # dropped since
            self._answers[partition].append(self._delete(partition, key_of(written.pop(line_id))))

    async def _to_read_again(self, owns: Mapping[TP, LineState | None]) -> set[TP]:
        """The partitions of which a derived topic was made anew, if the raw log still has its start."""
        places = {
            TP(topic, tp.partition): Applied(*place)
            for tp, own in owns.items()
            if own is not None
            for topic, place in own.sent.items()
        }
        lost = {other.partition: other.topic for other in await self._logs.others(places)} | self._again
        again = {tp: lost[tp.partition] for tp in owns if tp.partition in lost}
        begins = await self._logs.begins(again)
        for tp, topic in again.items():
            key = "streams.read_again" if begins[tp] == 0 else "streams.not_read_again"
            self._narrator.say(key, lost=topic, topic=tp.topic, partition=tp.partition)
            metrics.LOGS_LOST.labels(topic).inc()
        return {tp for tp in again if begins[tp] == 0}

    def _put(self, partition: int, state: LineState) -> Any:
        key, value = key_of(state), encode(state)
        self._table.data[key] = value
        self._written[partition][state.line_id] = state
        return self._table.send_changelog(partition, key, value)

    def _delete(self, partition: int, key: bytes) -> Any:
        self._table.data.pop(key, None)
        return self._table.send_changelog(partition, key, None)

    def _held(self, partitions: Sequence[TP]) -> dict[int, dict[str, LineState]]:
        held: dict[int, dict[str, LineState]] = {tp.partition: {} for tp in partitions}
        for value in self._table.values():
            state = decode(value)
            if state.partition in held:
                held[state.partition][state.line_id] = state
        return held

    def _begin(self, tp: TP, held: dict[str, LineState], log_end: int | None) -> None:
        """Start a partition from the states held; if `log_end` is set, they don't apply: start as new."""
        kept = held if log_end is None else {}
        self._lines[tp.partition] = Lines(
            self._rules, self._topic, tp.partition, kept.values(), log_end=log_end
        )
        self._written[tp.partition] = dict(kept)
        self._stale[tp.partition] = set() if kept else {key_of(state) for state in held.values()}
        self._durable.pop(tp.partition, None)
        self._saved_at.pop(tp.partition, None)

    def _report_lost(self, tp: TP, own: LineState) -> None:
        self._lines[tp.partition].loss = Loss("log_lost", 0, own.offset, own.time)
        metrics.LOGS_LOST.labels(tp.topic).inc()
        self._narrator.say("runtime.log_lost", topic=tp.topic, partition=tp.partition, last=own.offset)


def _of_another_log(states: Iterable[LineState], own: LineState) -> bool:
    """Whether a state is of another log: a worker that was frozen can write it over a newer one."""
    return any(state.log != own.log for state in states)


def _due(written: LineState | None, state: LineState, *, every: bool) -> bool:
    if written is None or every:
        return written is not state
    if state.line_id == PARTITION:
        return state.offset != written.offset
    if (state.mode, state.stop, state.alerts) != (written.mode, written.stop, written.alerts):
        return True  # people have seen it; the records that it follows from may expire
    reported = (state.stop_history, state.retired, state.forgotten)
    if reported != (written.stop_history, written.retired, written.forgotten):
        return True  # the command that announced a stop waits to see it here
    return state.heard_at != written.heard_at or state.received_at - written.received_at >= REWRITE
