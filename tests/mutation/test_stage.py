"""A stage without one of its protections: records are left out, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faust.types import TP

from runtime.batches import Batch, Stage
from runtime.log_end import Applied
from schemas.events import SampleEvent
from tests.eventually import eventually
from tests.mutation.worker import Gate, Worker
from tests.streams.changelog import WHERE, Changelog, Log, fill, later, log_of, store_of

Workers = Callable[[Log, type[Stage]], Worker]


@pytest.fixture
async def work(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    """Starts a worker of a log, with a stage that has all protections, or not."""
    workers: list[Worker] = []

    def start(log: Log, stage: type[Stage]) -> Worker:
        workers.append(Worker(log, stage, monkeypatch))
        return workers[-1]

    yield start
    for worker in workers:
        await worker.end()


def counted(worker: Worker) -> int:
    """The highest number of pieces that line a's order was ever said to have."""
    return max(getattr(event, "produced", 0) for event in worker.outbox.events)


class Gaping(Stage):
    """Takes a batch that begins beyond what is expected."""

    async def _next(self, tp: TP, records: Sequence[ConsumerRecord]) -> Batch | None:
        expected = self._expected.get(tp)
        if expected is not None and records[0].offset > expected:
            self._expected[tp] = records[0].offset
        return await super()._next(tp, records)


async def test_contiguity(work: Workers) -> None:
    """Records that Faust left out would be gone: it goes on with those fetched before a rebalance."""

    #  handed over   0 1 │ 4 5, and what comes behind wherever the stage seeks
    async def pieces(stage: type[Stage]) -> int:
        worker = work(Log(log_of("aaaaaa")), stage)
        await worker.assigned()
        await worker.takes(0, 2)
        await worker.takes(4, 6)
        await worker.reads_on()
        return counted(worker)

    assert await pieces(Stage) == 6
    assert await pieces(Gaping) == 4


class Ageless(Stage):
    """Takes a batch for its own, whatever has come between."""

    def holds(self, _batch: Batch) -> bool:
        return True


async def test_epoch(work: Workers) -> None:
    """A batch that outlives a rebalance would move the new position on, over records not applied again."""
    #  applied, not yet durable   0 1 │ in hand 2 3 │ fetched 4 5
    #  rebalance: the table knows nothing of them, all is to be read again; then the batch in hand ends

    async def pieces(stage: type[Stage]) -> int:
        worker = work(Log(log_of("aaaaaa")), stage)
        await worker.assigned()
        await worker.takes(0, 2)
        worker.outbox.gate.shut()
        worker.hands_over(2, 4)
        worker.hands_over(4, 6)
        await worker.outbox.gate.holds_somebody_up()
        await worker.revoked()
        worker.client.gate.shut()
        rebalance = asyncio.create_task(worker.assigned())
        await worker.client.gate.holds_somebody_up()
        worker.outbox.gate.open()
        await worker.is_idle()
        worker.client.gate.open()
        await rebalance
        await worker.reads_on()
        return counted(worker)

    assert await pieces(Stage) == 6
    assert await pieces(Ageless) != 6


class Skipping(Stage):
    """Passes over what lies below the position, and asks nobody."""

    async def _next(self, tp: TP, records: Sequence[ConsumerRecord]) -> Batch | None:
        if records[0].offset < (self._expected.get(tp) or 0):
            return None
        return await super()._next(tp, records)


async def test_a_second_look_at_what_seems_applied(work: Workers) -> None:
    """A log made anew under a running worker counts from 0: its first records would be passed over."""
    #  lost log   a a a a, all applied
    #  this log   a a a, where the client goes on by itself

    async def samples(stage: type[Stage]) -> int:
        log = Log(log_of("aaaa"))
        worker = work(log, stage)
        await worker.assigned()
        await worker.reads_on()
        log.records = later(log_of("aaa"))
        await worker.takes(0, 3)
        await worker.reads_on()
        return sum(isinstance(event, SampleEvent) for event in worker.outbox.events)

    assert await samples(Stage) == 7
    assert await samples(Skipping) == 4


class SlowLog(Log):
    """Once its gate is shut, the first question waits there for its answer, and no other does."""

    def __init__(self, letters: str) -> None:
        super().__init__(log_of(letters))
        self.gate = Gate()
        self._asked = False

    async def others(self, applied: Mapping[TP, Applied]) -> set[TP]:
        if self.gate.is_shut and not self._asked:
            self._asked = True
            await self.gate.passed()
        return await super().others(applied)


class Hasty(Stage):
    """Asks its store again while an answer is still on its way."""

    class _Nobody:
        async def __aenter__(self) -> None: ...
        async def __aexit__(self, *_: object) -> None: ...

    @property  # type: ignore[override]
    def _asking(self) -> "_Nobody":
        return self._Nobody()

    @_asking.setter
    def _asking(self, _lock: object) -> None: ...


async def test_one_question_at_a_time(work: Workers) -> None:
    """A store's answer that a rebalance overtakes would bring back the states of before it."""
    #  applied 0 1 │ asked where it stands, no answer │ another applies 0 to 3 │ ours again: stands at 3
    #  the first answer comes: no state is whole yet │ 3 4 5

    async def pieces(stage: type[Stage]) -> int:
        log = SlowLog("aaaaaa")
        worker = work(log, stage)
        await worker.assigned()
        await worker.takes(0, 2)
        log.gate.shut()
        asked = asyncio.create_task(worker.stage.look_again(WHERE))
        await log.gate.holds_somebody_up()
        await worker.revoked()
        other = Changelog(worker.table.writes)
        await fill(store_of(other, log.records), log.records[:4], size=1)
        worker.table.data = other.data
        assigned = asyncio.create_task(worker.assigned())
        await asyncio.wait({assigned}, timeout=0.2)
        log.gate.open()
        await asyncio.gather(asked, assigned)
        await worker.reads_on()
        return counted(worker)

    assert await pieces(Stage) == 6
    assert await pieces(Hasty) == 3


async def test_what_was_fetched_before_a_seek_is_put_aside(work: Workers) -> None:
    """What the seek brings comes instead: the log may be another one by now."""
    #  fetched 0 1 │ seek │ handed over: 0 1 │ and what comes behind the seek
    worker = work(Log(log_of("aaaa")), Stage)
    await worker.assigned()
    worker.hands_over(0, 2, seeks_ago=1)
    await worker.is_idle()
    assert worker.outbox.events == []
    await worker.reads_on()
    assert counted(worker) == 4


class Eager(Stage):
    """Takes what it expects, although a seek is on its way that brings it again."""

    def _comes_once(self, message: Any) -> bool:
        return bool(message.seeks == self.seeks[message.tp])


async def test_what_comes_while_a_seek_is_on_its_way_is_put_aside(work: Workers) -> None:
    """The seek brings it again: taken for another log's, all since the last save would be sent twice."""
    #  the seek to 0 is on its way │ handed over: 0 1 │ the seek is done │ handed over: 0 1 2 3

    async def samples(stage: type[Stage]) -> int:
        worker = work(Log(log_of("aaaa")), stage)
        worker.client.seek_gate.shut()
        assigned = asyncio.create_task(worker.assigned())
        await worker.client.seek_gate.holds_somebody_up()
        await worker.takes(0, 2)
        worker.client.seek_gate.open()
        await assigned
        await worker.reads_on()
        return sum(isinstance(event, SampleEvent) for event in worker.outbox.events)

    assert await samples(Stage) == 4
    assert await samples(Eager) == 6


async def test_an_end_waits_for_the_batch_in_hand_and_begins_no_other(work: Workers) -> None:
    """It tells where the partition stands then."""
    #  in hand 0 1 │ fetched 2 3 │ the end begins │ the batch in hand ends
    worker = work(Log(log_of("aaaa")), Stage)
    await worker.assigned()
    worker.outbox.gate.shut()
    worker.hands_over(0, 2)
    worker.hands_over(2, 4)
    await worker.outbox.gate.holds_somebody_up()
    ending = asyncio.create_task(worker.stage.quiesce())
    await asyncio.sleep(0)
    assert not ending.done()
    worker.outbox.gate.open()
    assert await ending == {WHERE: 2}
    await worker.is_idle()
    assert counted(worker) == 2


async def test_what_nobody_expected_ends_the_process(work: Workers) -> None:
    """Faust would count the batch as done, and go on with the next."""
    worker = work(Log(log_of("aaaa")), Stage)
    await worker.assigned()
    unexpected = RuntimeError("nobody expected this")

    async def send(*_: object) -> None:
        raise unexpected

    worker.outbox.send = send  # type: ignore[method-assign, assignment]
    worker.hands_over(0, 2)
    await eventually(worker.has_crashed, "the end")
    assert worker.crashed is unexpected
