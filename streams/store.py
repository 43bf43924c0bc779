"""The stream stage's store: each line's state in a Faust table, the offset that it stands at inside it."""

from collections.abc import Mapping, Sequence
from typing import Any

import faust
from faust.types import TP

from schemas.instant import MINUTE
from schemas.plant import Rules
from schemas.state import LineState, decode, encode
from streams.partition import PARTITION, Lines

REWRITE = MINUTE  # at least so often, so that no line holds back where its partition starts again


class LineStore:
    """Lines by partition, read from the table after each recovery, written back as they change."""

    def __init__(self, app: faust.App, rules: Rules, topic: str, table: Any) -> None:
        self._app = app
        self._rules = rules
        self._topic = topic
        self._table = table
        self._lines: dict[int, Lines] = {}
        self._written: dict[int, dict[str, LineState]] = {}

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """Read the lines of partitions anew, and tell where each stands.

        A partition without a line stands at the log's start. What was in memory is forgotten: only what the
        table holds is known to be durable.
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
        return {tp: self._lines[tp.partition].next_offset for tp in partitions}

    def lines(self, partition: int) -> Lines:
        """The lines of a partition."""
        return self._lines[partition]

    def save(self, partition: int) -> None:
        """Write the lines that changed to the table and its changelog.

        Newborn lines first: a crash between two writes must not leave an older line's offset without them.
        The partition's own entry last. Lines that only time touched are written once a minute.
        """
        written = self._written[partition]
        lines = self._lines[partition].states
        newborn = [state for line_id, state in lines.items() if line_id and line_id not in written]
        known = [
            state
            for line_id, state in lines.items()
            if line_id and line_id in written and _due(written[line_id], state)
        ]
        own = lines[PARTITION]
        if PARTITION not in written or _due(written[PARTITION], own):
            known.append(own)
        for state in (*newborn, *known):
            key, value = _key(state), encode(state)
            self._table.data[key] = value
            sent = self._table.send_changelog(partition, key, value)
            sent.add_done_callback(self._sent)
            written[state.line_id] = state

    def _sent(self, future: Any) -> None:
        if not future.cancelled() and future.exception() is not None:
            # The state in memory is ahead of what Kafka holds: start again from what it holds.
            self._app.loop.create_task(self._app.crash(future.exception()))


def _due(written: LineState, state: LineState) -> bool:
    return state.heard_at != written.heard_at or state.received_at - written.received_at >= REWRITE


def _key(state: LineState) -> bytes:
    # A line's name has no slash: a partition's own entry never meets one.
    return state.line_id.encode() if state.line_id else b"/%d" % state.partition
