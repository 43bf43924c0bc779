"""Kafka's retention deletes records that a stopped stage has not applied."""

import asyncio
import time

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from chaos.faults.processes import OfWorkers
from chaos.stream_positions import positions
from runtime.topics import admin

MORE = 20  # records that a partition receives before some of them are deleted
MORE_S = 25.0
POLL_S = 0.2
TRIES, AGAIN_S = 4, 10.0


class Retention(OfWorkers):
    kind = "retention"
    what = "the streams workers end in good order; records that none has applied are deleted; they come back"

    async def begin(self) -> None:
        tries = TRIES
        while not (rested := await self._rest()):
            tries -= 1
            if not tries:
                self.vain = "no partition was at rest"
                return
            await self.end()  # the workers were still recovering from the fault before
            await asyncio.sleep(AGAIN_S)
        chosen = self.draw.sample(sorted(rested), self.draw.randint(1, len(rested)))
        await self._more({partition: rested[partition] + MORE for partition in chosen})
        await self.plant.tape.caught_up()
        gone = {
            partition: range(rested[partition], self.draw.randint(rested[partition] + 1, end))
            for partition in chosen
            if (end := self.plant.tape.end(partition)) > rested[partition]
        }
        if not gone:
            self.vain = "no record came that could be deleted"
            return
        await self._delete(gone)
        self.detail = ", ".join(
            f"[{partition}] {lost.start} to {lost.stop - 1}" for partition, lost in gone.items()
        )

    async def end(self) -> None:
        for worker in self.plant.roles.of("streams"):
            worker.held = False

    async def _rest(self) -> dict[int, int]:
        """Stop the workers; return the positions of partitions whose lines are all at the same offset.

        In the others, each line would lose different records.
        """
        workers = self.plant.roles.of("streams")
        for worker in workers:
            await worker.runs()
        for worker in workers:
            worker.held = True
        await asyncio.gather(*(self.plant.roles.stop(worker) for worker in workers))
        found = await positions(self.plant.settings)
        return {partition: at.start for partition, at in found.items() if at.start == at.stop}

    async def _more(self, wanted: dict[int, int]) -> None:
        """Wait until partitions have grown to the wanted ends, or for MORE_S."""
        tape, deadline = self.plant.tape, time.monotonic() + MORE_S
        while any(tape.end(partition) < end for partition, end in wanted.items()):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_S)

    async def _delete(self, gone: dict[int, range]) -> None:
        topic = self.plant.settings.topics.raw
        async with admin(self.plant.settings) as client:
            await client.delete_records(
                {
                    TopicPartition(topic, partition): RecordsToDelete(lost.stop)
                    for partition, lost in gone.items()
                }
            )
        for partition, lost in gone.items():
            self.plant.tape.without(partition, lost.start, lost.stop - 1)
