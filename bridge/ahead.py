"""Finds where the time of a log began to be ahead, for the person who repairs it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from bridge.kafka import log_consumer, run_of
from runtime.producer import START_S
from runtime.settings import Settings
from schemas.instant import LATEST

MOST_RUNS = 20


class Ahead(NamedTuple):
    """The first record whose time is in the future."""

    received_at: int  # ms
    run: int
    before: int  # the highest time before it, ms; 0: nothing is before it
    later: tuple[tuple[int, int], ...] = ()  # runs that began after it, and the time of their first record


async def first_ahead(settings: Settings, now_ms: int) -> Ahead | None:
    """Find the first record of the log with a time after `now_ms`; None if there is none.

    Raises:
        Unavailable: Kafka does not answer.
    """
    first, before = None, 0
    async with log_consumer(settings) as (consumer, deadline):
        begins = await consumer.beginning_offsets(consumer.assignment())
        ends = await consumer.end_offsets(list(begins))
        for where, begin in begins.items():
            last, found = await _bisect(
                consumer, deadline, where, (begin, ends[where]), partial(_is_later, now_ms)
            )
            if last is not None and last.timestamp <= now_ms:
                before = max(before, last.timestamp)
            if found and (first is None or found.timestamp < first.timestamp):
                first = found
        if first is None:
            return None
        where = TopicPartition(first.topic, first.partition)  # each run begins in all partitions at once
        later = await _later_runs(consumer, deadline, where, first, ends[where])
    return Ahead(first.timestamp, run_of(first), before, later)


async def _later_runs(
    consumer: Any, deadline: asyncio.Timeout, where: TopicPartition, first: ConsumerRecord, end: int
) -> tuple[tuple[int, int], ...]:
    later: list[tuple[int, int]] = []
    begin, run = first.offset, run_of(first)
    while len(later) < MOST_RUNS:
        _, found = await _bisect(consumer, deadline, where, (begin, end), partial(_is_above, run))
        if found is None:
            break
        begin, run = found.offset, run_of(found)
        later.append((run, found.timestamp))
    return tuple(later)


def _is_later(now_ms: int, record: ConsumerRecord) -> bool:
    return bool(now_ms < record.timestamp <= LATEST)  # no bridge writes later times, and readers ignore them


def _is_above(run: int, record: ConsumerRecord) -> bool:
    return run_of(record) > run


async def _bisect(
    consumer: Any,
    deadline: asyncio.Timeout,
    where: TopicPartition,
    between: tuple[int, int],
    test: Callable[[ConsumerRecord], bool],
) -> tuple[ConsumerRecord | None, ConsumerRecord | None]:
    """The last record of a partition that fails a test, and the first that passes; all after it must pass.

    A binary search: not every broker can look up a time, and none a run.
    """
    low, high = between
    last = first = None
    while low < high:
        middle = (low + high) // 2
        consumer.seek(where, middle)
        record = await consumer.getone(where)
        deadline.reschedule(asyncio.get_running_loop().time() + START_S)
        if test(record):
            high, first = middle, record
        else:
            low, last = middle + 1, record
    return last, first
