"""The lines that the stream stage knows, read from the changelog of their states."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from plant.rules import Rules
from rules.partition import PARTITION
from runtime.log_end import fetched_ends
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.instant import SECOND
from schemas.state import LineState, decode
from streams.changelog import changelog

COLUMNS = ("line", "name", "declared", "state", "heard", "retired")
READ_S = 60.0  # a changelog holds little more than twice the states


async def read_states(settings: Settings, generation: int) -> list[LineState]:
    """The last written state of every line, and the last written own entry of every partition.

    Raises:
        Unavailable: Kafka does not answer, or the stream stage has not run under these rules.
    """
    servers, topic = settings.kafka_bootstrap_servers, changelog(settings.topic_prefix, generation)
    where = [TopicPartition(topic, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    found: dict[tuple[int, bytes], bytes | None] = {}
    try:
        async with asyncio.timeout(READ_S):
            await consumer.start()
            if topic not in await consumer.topics():
                raise Unavailable(f"Kafka {servers}: no topic {topic} yet; start linepulse streams")
            ends = await fetched_ends(servers, await consumer.end_offsets(where))
            consumer.assign(where)
            while [tp for tp in where if await consumer.position(tp) < ends[tp]]:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found |= {(record.partition, record.key): record.value for record in records}
    except (KafkaError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"KAFKA_BOOTSTRAP_SERVERS: {servers}: {why}; start Kafka") from None
    finally:
        await consumer.stop()
    return [decode(value) for value in found.values() if value is not None]


def rows_of(states: Iterable[LineState], rules: Rules) -> list[tuple[Any, ...]]:
    """A row of `COLUMNS` for each line that is known, and for each that the rules name, by name."""
    states = list(states)
    admitted: Mapping[int, Any] = {
        state.partition: state.undeclared for state in states if state.line_id == PARTITION
    }
    known = {state.line_id: state for state in states if state.line_id != PARTITION and not state.forgotten}
    rows = []
    for line_id in sorted(known.keys() | set(rules.named)):
        state, declared = known.get(line_id), line_id in rules.named
        if state is not None and not declared:
            own = admitted.get(state.partition)
            if own is not None and line_id not in own.lines:
                continue  # dropped just now
        at = 0 if state is None else state.received_at
        heard = None
        if state is not None and state.heard_at:
            heard = datetime.fromtimestamp(state.heard_at / SECOND, UTC)
        rows.append(
            (
                line_id,
                rules.name(line_id, at),
                declared,
                _state(state),
                heard,
                state is not None and state.retired,
            )
        )
    return rows


def _state(state: LineState | None) -> str:
    """`unheard`, `retired`, `running`, `stopped`, `planned`, `no_signal` or `unknown`."""
    if state is None or state.clock is None:
        return "unheard"
    if state.retired:
        return "retired"
    if state.stop is not None and state.mode == "stopped":
        return "planned" if state.stop.planned or state.stop.category == "planned" else "stopped"
    return state.mode
