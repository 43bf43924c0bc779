"""Distributes partitions to processes: each gets the next one as soon as it has finished its last."""

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
OBJECTS = 200_000  # the collector's threshold: more objects than applying AT_ONCE records makes


def apply(job: Job, extents: Mapping[int, Extent], workers: int, on_applied: Callable[[int], None]) -> None:
    """Bring the shadow tables up to the ends of partitions, with at most `workers` processes.

    Args:
        on_applied: called with the number of records of each batch applied.
    Raises:
        Unavailable: Kafka or PostgreSQL went away, or a process was killed; what has a checkpoint is kept.
    """
    workers = min(workers, len(extents))
    if workers <= 1:
        asyncio.run(apply_partitions(job, extents, on_applied))
        return
    pool = WorkerPool(job, workers)
    try:
        pool.work(extents, on_applied)
    finally:
        pool.end()


class WorkerPool:
    """Processes that apply partitions."""

    def __init__(self, job: Job, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._members: dict[Connection, SpawnProcess] = {}
        self._assigned: dict[Connection, int] = {}
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(job, theirs), daemon=True)
            process.start()
            theirs.close()
            self._members[ours] = process

    def work(self, extents: Mapping[int, Extent], on_applied: Callable[[int], None]) -> None:
        """Apply all partitions; returns when all are done."""
        # The longest first: otherwise it might run alone at the end.
        waiting = sorted(extents, key=lambda partition: extents[partition].end - extents[partition].begin)
        for pipe in self._members:
            self._assign(pipe, waiting, extents)
        while self._assigned:
            ready = wait(list(self._assigned))
            for pipe in [pipe for pipe in self._assigned if pipe in ready]:
                match self._receive(pipe):
                    case int(applied):
                        on_applied(applied)
                    case None:
                        del self._assigned[pipe]
                        self._assign(pipe, waiting, extents)
                    case failed:
                        raise Unavailable(str(failed))

    def _assign(self, pipe: Connection, waiting: list[int], extents: Mapping[int, Extent]) -> None:
        if waiting:
            partition = waiting.pop()
            self._assigned[pipe] = partition
            pipe.send((partition, extents[partition]))

    def _receive(self, pipe: Connection) -> Any:
        """A worker's message: how many records it applied, None at its partition's end, or why it failed."""
        try:
            return pipe.recv()
        except (EOFError, ConnectionError):
            process, partition = self._members[pipe], self._assigned[pipe]
            process.join(END_S)
            code = process.exitcode
            how = f"was killed ({signal.Signals(-code).name})" if code and code < 0 else f"ended ({code})"
            return (
                f"the process that worked on partition {partition} {how}; run the command again:"
                " it goes on from there"
            )

    def end(self) -> None:
        """End all processes, whatever they do: what they have not committed is rolled back."""
        for pipe, process in self._members.items():
            pipe.close()
            process.terminate()
        for process in self._members.values():
            process.join(END_S)
            if process.is_alive():
                process.kill()
                process.join()


def _work(job: Job, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    spare_the_collector(OBJECTS)
    try:
        while True:
            partition, extent = pipe.recv()
            asyncio.run(apply_partitions(job, {partition: extent}, pipe.send))
            pipe.send(None)
    except (EOFError, ConnectionError):
        return  # the parent is gone, or needs us no longer
    except Unavailable as error:
        pipe.send(str(error))
    except Exception as error:
        pipe.send(repr(error))
        raise
