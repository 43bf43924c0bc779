"""The stream stage's store: each line's state in a Faust table, the offset that it stands at inside it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from faust.types import TP

from schemas.instant import MINUTE
from schemas.plant import Rules
from schemas.state import LineState, decode, encode
from streams.partition import PARTITION, Lines

REWRITE = MINUTE  # at least so often, so that no line holds back where its partition starts again


class LineStore:
    """Lines by partition, read from the table after each recovery, written back as they change."""

    def __init__(self, rules: Rules, topic: str, table: Any) -> None:
        self._rules = rules
        self._topic = topic
        self._table = table
        self._lines: dict[int, Lines] = {}
        self._written: dict[int, dict[str, LineState]] = {}
        self._durable: dict[int, LineState] = {}  # partitions' own entries after the last save
        self._sent: dict[int, list[Any]] = {}  # the changelog's answers to the last save

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """Read the lines of partitions anew, and tell where each stands.

        A partition without an entry of its own stands at the log's start. What was in memory is forgotten:
        only what the table holds is known to be durable.
        """
        held: dict[int, list[LineState]] = {tp.partition: [] for tp in partitions}
        for value in self._table.values():
            state = decode(value)
            if state.partition in held:
                held[state.partition].append(state)
        self._lines = {
            partition: Lines(self._rules, self._topic, partition, states)
            for partition, states in held.items()
        }
        self._written = {
            partition: {state.line_id: state for state in states} for partition, states in held.items()
        }
        self._durable.clear()
        self._sent.clear()
        return {tp: self._lines[tp.partition].next_offset for tp in partitions}

    def lines(self, partition: int) -> Lines:
        """The lines of a partition."""
        return self._lines[partition]

    async def settled(self, partition: int) -> None:
        """Wait until the last save is durable.

        Raises:
            KafkaError: it did not get through: what is in memory is ahead of what Kafka holds.
        """
        await asyncio.gather(*self._sent.pop(partition, ()))

    def save(self, partition: int) -> None:
        """Write the lines that changed to the table and its changelog.

        The partition's own entry never stands beyond a line: it tells where the partition stood after the
        save before, which is `settled`. Where a crash between two writes leaves a newborn line out, the
        partition starts again before its birth. Lines that only time touched are written once a minute.
        """
        lines, written = self._lines[partition].states, self._written[partition]
        durable = self._durable.get(partition)
        self._durable[partition] = lines[PARTITION]
        others = [state for line_id, state in lines.items() if line_id != PARTITION]
        self._sent[partition] = [
            self._put(partition, state)
            for state in (*others, durable)
            if state is not None and _due(written.get(state.line_id), state)
        ]

    def _put(self, partition: int, state: LineState) -> Any:
        key, value = _key(state), encode(state)
        self._table.data[key] = value
        self._written[partition][state.line_id] = state
        return self._table.send_changelog(partition, key, value)


def _due(written: LineState | None, state: LineState) -> bool:
    if written is None:
        return True
    return state.heard_at != written.heard_at or state.received_at - written.received_at >= REWRITE


def _key(state: LineState) -> bytes:
    # A line's name has no slash: a partition's own entry never meets one.
    return state.line_id.encode() if state.line_id else b"/%d" % state.partition
