"""Partitions shared out to processes: each takes the next one as soon as it is done with its last."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from rebuild.ends import Extent
from rebuild.work import Job, apply_partitions
from runtime.worker import spare_the_collector
from schemas.errors import Unavailable

END_S = 10.0
OBJECTS = 200_000  # more than the records that are worked on together bring


def apply(job: Job, extents: Mapping[int, Extent], workers: int, tell: Callable[[int], None]) -> None:
    """Bring the shadow tables up to the ends of partitions, by so many processes.

    Args:
        tell: hears how many records were applied, again and again.
    Raises:
        Unavailable: Kafka or PostgreSQL went away, or a process was killed; what has a checkpoint stays.
    """
    workers = min(workers, len(extents))
    if workers <= 1:
        asyncio.run(apply_partitions(job, extents, tell))
        return
    team = Team(job, workers)
    try:
        team.work(extents, tell)
    finally:
        team.end()


class Team:
    """Processes that apply partitions."""

    def __init__(self, job: Job, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._members: dict[Connection, SpawnProcess] = {}
        self._holds: dict[Connection, int] = {}
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            self._members[ours] = process

    def work(self, extents: Mapping[int, Extent], tell: Callable[[int], None]) -> None:
        """Until all partitions are done."""
        # The longest first: the last one alone must not be the longest.
        waiting = sorted(extents, key=lambda partition: extents[partition].end - extents[partition].begin)
        for pipe in self._members:
            self._give(pipe, waiting, extents)
        while self._holds:
            ready = wait(list(self._holds))
            for pipe in [pipe for pipe in self._holds if pipe in ready]:
                match self._heard(pipe):
                    case int(applied):
                        tell(applied)
                    case None:
                        del self._holds[pipe]
                        self._give(pipe, waiting, extents)
                    case failed:
                        raise Unavailable(str(failed))

    def _give(self, pipe: Connection, waiting: list[int], extents: Mapping[int, Extent]) -> None:
        if waiting:
            partition = waiting.pop()
            self._holds[pipe] = partition
            pipe.send((partition, extents[partition]))

    def _heard(self, pipe: Connection) -> Any:
        """A number of records that were applied, None at a partition's end, or what failed."""
        try:
            return pipe.recv()
        except (EOFError, ConnectionError):
            process, partition = self._members[pipe], self._holds[pipe]
            process.join(END_S)
            code = process.exitcode
            how = f"was killed ({signal.Signals(-code).name})" if code and code < 0 else f"ended ({code})"
            return (
                f"the process that worked on partition {partition} {how}; run the command again:"
                " it goes on from there"
            )

    def end(self) -> None:
        """End all of them, whatever they do: what they have not committed is rolled back."""
        for pipe, process in self._members.items():
            pipe.close()
            process.terminate()
        for process in self._members.values():
            process.join(END_S)
            if process.is_alive():
                process.kill()
                process.join()


def _work(job: Job, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's business: it ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    spare_the_collector(OBJECTS)
    try:
        while True:
            partition, extent = pipe.recv()
            asyncio.run(apply_partitions(job, {partition: extent}, pipe.send))
            pipe.send(None)
    except (EOFError, ConnectionError):
        return  # the parent is gone, or needs us no more
    except Unavailable as error:
        pipe.send(str(error))
    except Exception as error:
        pipe.send(repr(error))
        raise
