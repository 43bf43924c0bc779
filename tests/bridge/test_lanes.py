"""A batch counts as stored only once it is known that it is not void."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from bridge.lanes import Lane
from bridge.log_continuity import LogContinuity
from schemas.errors import Unavailable


class Kafka:
    """Stores each batch at the next of the given offsets; knows the runs of what others wrote."""

    def __init__(self, offsets: list[int], runs: list[int]) -> None:
        self.offsets = iter(offsets)
        self.runs = runs
        self.asked: list[tuple[int, int | None]] = []

    def create_batch(self) -> Any:
        taken: list[int] = []
        return SimpleNamespace(
            append=lambda **_: taken.append(1) if not taken else None, record_count=lambda: len(taken)
        )

    async def send_batch(self, *_: object, **__: object) -> "asyncio.Future[Any]":
        stored: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stored.set_result(SimpleNamespace(offset=next(self.offsets)))
        return stored

    async def look(self, _where: TopicPartition, gap: tuple[int, int | None], above: int) -> int:
        self.asked.append(gap)
        return next((run for run in self.runs if run > above), 0)


async def write(kafka: Kafka, batches: int) -> tuple[list[bool], str | None]:
    """Write batches of one record behind the fence of run 7 at offset 9; which are stored, and the error."""
    known = LogContinuity()
    known.begin(6)
    known.follows(0, 9, 1)
    lane = Lane(kafka, "raw", 0, known, kafka.look, lambda: None)
    sent = [lane.append(None, b"", [], 0) for _ in range(batches)]
    lane.send()
    running = asyncio.create_task(lane.run())
    await asyncio.wait({running}, timeout=0.05)
    if running.done():
        with pytest.raises(Unavailable) as ended:
            running.result()
        return [batch.done for batch in sent], str(ended.value)
    running.cancel()
    await asyncio.wait({running})
    return [batch.done for batch in sent], None


async def test_who_is_alone_never_looks() -> None:
    """Adjacent batches cause no read."""
    kafka = Kafka([10, 11, 12], [])
    assert await write(kafka, 3) == ([True, True, True], None)
    assert kafka.asked == []


async def test_behind_the_fence_of_a_higher_run_nothing_counts_as_stored() -> None:
    """The run ends with the first batch behind it, before that one is acknowledged."""
    #  9       10     11       12
    #  fence 7 batch  fence 8  batch: void
    kafka = Kafka([10, 12, 13], [8])
    stored, why = await write(kafka, 3)
    assert stored == [True, False, False]
    assert why
    assert "another bridge began run 8" in why
    assert kafka.asked == [(11, 12)]


async def test_what_lower_and_equal_runs_and_strangers_write_voids_nothing() -> None:
    """A thawed bridge of run 3, the twin that lost the race for run 7, a record without a run."""
    kafka = Kafka([13, 14], [3, 7, 0])
    assert await write(kafka, 2) == ([True, True], None)
    assert kafka.asked == [(10, 13)]


@pytest.mark.parametrize(("runs", "stored"), [([], [True, True]), ([8], [False, False])])
async def test_a_batch_whose_place_kafka_does_not_tell_may_be_anywhere(
    runs: list[int], stored: list[bool]
) -> None:
    """All that follows our last record is read."""
    kafka = Kafka([-1, 11], runs)
    assert (await write(kafka, 2))[0] == stored
    assert kafka.asked[0] == (10, None)
