"""The effect of a person's message that is in the line's state only: announced stops, a retired line.

The stream stage writes each line's state to a changelog, with the offset of its last record; the raw log has
the offset of the message. A state at that offset or a later one has applied the message, or refused it.
"""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from linepulse.outcome import Effect, Outcome, Rows
from rules.stops.operator import digest_of
from runtime.log_end import fetched_ends
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.instant import SECOND
from schemas.state import LineState, Plan, decode
from streams.changelog import changelog

PATIENCE_S = 16.0  # a state that changed is written with the next tick, every 5 s; another every 15 s
START_S = 5.0
POLL_MS = 50


class LineFollower:
    """Follows the records of one line at the ends of the raw log and of the states' changelog."""

    def __init__(self, settings: Settings, line: str, generation: int) -> None:
        """Start at the present ends of both.

        Raises:
            Unavailable: Kafka does not answer, or there is no changelog yet.
        """
        self._raw, self._states = settings.topics.raw, changelog(settings.topic_prefix, generation)
        self._line = line.encode()
        # A line whose state was deleted has applied all its messages.
        self._gone = LineState(line, -1, offset=sys.maxsize, forgotten=True)
        self._runner = asyncio.Runner()
        self._consumer: Any = None
        self._at: dict[bytes, int] = {}
        self._newest: LineState | None = None
        try:
            self._runner.run(self._start(settings))
        except (KafkaError, TimeoutError) as error:
            self.close()
            raise Unavailable(
                f"KAFKA_BOOTSTRAP_SERVERS: {settings.kafka_bootstrap_servers}: {error!r}"
            ) from None
        except BaseException:
            self.close()
            raise

    def after(self, payload: bytes) -> LineState | None:
        """The line's state once it has applied the message with this payload; None: not yet."""
        self._runner.run(self._read(payload))
        at, state = self._at.get(payload), self._newest
        return state if at is not None and state is not None and state.offset >= at else None

    def close(self) -> None:
        """Close the connection to Kafka."""
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):
                self._runner.run(self._consumer.stop())
        self._runner.close()

    async def _start(self, settings: Settings) -> None:
        servers = settings.kafka_bootstrap_servers
        async with asyncio.timeout(START_S):
            self._consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
            await self._consumer.start()
            partitions = [
                TopicPartition(topic, number)
                for topic in (self._raw, self._states)
                for number in range(settings.partitions)
            ]
            ends = await fetched_ends(servers, await self._consumer.end_offsets(partitions))
            self._consumer.assign(partitions)
            for partition, end in ends.items():
                self._consumer.seek(partition, end)

    async def _read(self, payload: bytes) -> None:
        for where, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
            for record in records:
                if record.key != self._line:
                    continue
                if where.topic == self._states:
                    self._newest = self._gone if record.value is None else decode(record.value)
                elif record.value == payload:
                    self._at.setdefault(payload, record.offset)


class StateChanged(Effect):
    """A message whose effect is only in the line's state: `plan`, `unplan`, `retire` or `forget`."""

    patience_s = PATIENCE_S

    def __init__(self, settings: Settings, line: str, fields: dict[str, Any]) -> None:
        """`fields`: those of the message; `requestId` is added before it is sent."""
        self._settings, self._line, self._fields = settings, line, fields
        self._follower: LineFollower | None = None

    def attend(self, rows: Rows) -> None:
        """Start at the ends of both logs. If Kafka does not answer, only a refusal can be seen."""
        record = rows.one("generation.live_rules")
        try:
            if record is not None:
                self._follower = LineFollower(self._settings, self._line, record["generation"])
        except Unavailable:
            self.patience_s = Effect.patience_s

    def look(self, rows: Rows, payload: bytes) -> Outcome | None:  # noqa: ARG002 - it is in no row
        """Applied once the line's state has it; refused if the state came past the message without it."""
        state = None if self._follower is None else self._follower.after(payload)
        if state is None:
            return None
        request = str(self._fields["requestId"])
        facts = {"line": self._line, "request": request}
        known = digest_of(request)
        plan = next((plan for plan in state.stop_history.plans if plan.request == known), None)
        if self._fields["action"] == "retire":
            return Outcome("applied", "asked.retired" if state.retired else "asked.retired_and_back", facts)
        if self._fields["action"] == "forget":
            key = "asked.forgotten" if state.forgotten else "asked.forgotten_and_back"
            return Outcome("applied", key, facts)
        if self._fields["action"] == "plan" and plan is not None:
            return Outcome("applied", "asked.planned", facts, [_row(self._line, plan)])
        if self._fields["action"] == "unplan" and plan is None and known in state.stop_history.requests:
            return Outcome("applied", "asked.unplanned", facts)
        return Outcome("refused", "asked.refused_unread", facts, sure=False)

    def close(self) -> None:
        """Close the connection to Kafka."""
        if self._follower is not None:
            self._follower.close()


def _row(line: str, plan: Plan) -> dict[str, Any]:
    start, end = (datetime.fromtimestamp(ms / SECOND, UTC) for ms in (plan.start, plan.end))
    return {"line": line, "start": start, "end": end, "reason": plan.reason}
