"""A raw log with every kind of record that a plant's log holds, written directly to Kafka."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from runtime.settings import Settings
from schemas.instant import SECOND, text_of
from schemas.raw import Kind, RawHeaders
from tests.streams.raw import partition_of

BEGIN = 1_768_467_600_000  # 2026-01-15 10:00 in Paris
LINES = tuple(f"ligne{number}" for number in range(1, 8))
Headers = list[tuple[str, bytes]]


class Written(NamedTuple):
    """A record to be written; key None: to every partition."""

    key: str | None
    value: bytes
    at: int
    headers: Headers


POISON = (b"", b"not json", b'{"count": -1}', b'{"count": 1, "note": "\xff"}', b"[1, 2]", b'{"count": 1e308}')
FOREIGN: tuple[tuple[bytes, Headers], ...] = (
    (b"written by somebody else", []),
    (b'{"count": 3}', [("kind", b"unheard of")]),
    (b'{"count": 3}', [("kind", b"data"), ("topic", b"production/ligne1/data"), ("run", b"many")]),
    (b"", [("kind", b"data")]),
)


def story(seconds: int, seed: int, begin: int = BEGIN, first_run: int = 1) -> Iterator[Written]:
    """Machines with one message a second each, through two runs of the bridge, with all that can go wrong."""
    draw, run, gone = Random(seed), first_run, 0
    for second in range(seconds):
        now = begin + second * SECOND
        if second == seconds // 2:
            run, gone = run + 1, run
            yield Written(None, b"", now, RawHeaders(Kind.TICK, run=run).encode())
        if second % 5 == 0 and not 60 < second % 200 < 90:
            yield Written(None, b"", now, RawHeaders(Kind.TICK, run=run).encode())
        if gone and draw.random() < 0.1:  # the bridge that was replaced thaws, and writes on
            yield _message("data", draw.choice(LINES), {"count": 1000}, now, gone)
        for number, line in enumerate(LINES):
            if number == 5 and 30 < second % 300 < 120:
                continue  # it falls silent
            yield from _machine(draw, line, now + number * 7, run)
        if draw.random() < 0.02:
            value, headers = draw.choice(FOREIGN)
            yield Written(draw.choice(LINES), value, now + 900, headers)


def _machine(draw: Random, line: str, now: int, run: int) -> Iterator[Written]:
    chance = draw.random()
    if chance < 0.01:
        yield Written(line, draw.choice(POISON), now, _headers("data", line, run))
    elif chance < 0.02:
        word = draw.choice(["running", "stopped", "offline", "online", "asleep"])
        fields = {"status": word, "reason": draw.choice(["bourrage", "a\tb\\c\n"])}
        yield _message("status", line, fields, now, run)
    elif chance < 0.025:
        order = {"productType": "Eau", "quantity": draw.randint(5, 80), "requestId": str(draw.random())}
        yield _message("order", line, order, now, run)
    elif chance < 0.028:
        yield _message("order", line, {"action": draw.choice(["close", "cancel"])}, now, run)
    elif chance < 0.03:
        headers = RawHeaders(Kind.UNROUTABLE, "production/a b/data", run=run).encode()
        yield Written(None if draw.random() < 0.5 else line, b"{}", now, headers)
    data: dict[str, Any] = {"count": draw.randint(0, 6), "temperature": draw.uniform(20, 34)}
    if draw.random() < 0.9:
        late = draw.choice([5, 70, 2000, -90]) if draw.random() < 0.05 else 0
        data["timestamp"] = text_of(now - 40 - late * SECOND)
    if draw.random() < 0.8:
        data |= {"running": draw.random() < 0.9, "targetRate": 200, "rate": draw.uniform(100, 220)}
    if draw.random() < 0.3:
        data["defects"] = draw.randint(0, 2)
    yield _message("data", line, data, now, run)


def _message(kind: str, line: str, fields: dict[str, Any], now: int, run: int) -> Written:
    return Written(line, json.dumps(fields).encode(), now, _headers(kind, line, run))


def _headers(kind: str, line: str, run: int) -> Headers:
    return RawHeaders(Kind(kind), f"production/{line}/{kind}", 1, run=run).encode()


async def write(settings: Settings, records: Iterator[Written]) -> int:
    """Write records in order; return their number, with ticks counted once per partition."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", linger_ms=2)
    await producer.start()
    count = 0
    try:
        for record in records:
            every = range(settings.partitions)
            where = every if record.key is None else [partition_of(settings, record.key)]
            for partition in where:
                count += 1
                await producer.send(
                    settings.topics.raw,
                    record.value,
                    key=None if record.key is None else record.key.encode(),
                    partition=partition,
                    timestamp_ms=record.at,
                    headers=record.headers,
                )
    finally:
        await producer.stop()
    return count
