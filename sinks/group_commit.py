"""Group commit: what the partitions have for PostgreSQL is written together, in one transaction."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import ConsumerRecord

from runtime import metrics
from sinks.database import BlockedError, Database
from sinks.sink import Sink
from sinks.transaction import Portion, Written, write

LANES = 2  # transactions at a time: while PostgreSQL stores one, the next is read
FULL = 5000  # events that are worth a transaction of their own
LINGER_S = 0.01  # in which the other partitions of a fetch arrive


class Waiting(NamedTuple):
    """A portion, and where its writer waits for the outcome."""

    portion: Portion
    outcome: asyncio.Future[Written]


class GroupCommit:
    """Takes portions from all writers, and writes those that arrive together in one transaction.

    A transaction costs PostgreSQL and us as much as a hundred rows. So it begins when LINGER_S have passed
    since the first portion arrived, or when FULL events wait. Portions of a table that PostgreSQL can't write
    at present are kept apart from the others.
    """

    def __init__(self, url: str, lang: str) -> None:
        """`url` of the database; `lang`: the language of dead letters."""
        self._url = url
        self._lang = lang
        self._waiting: list[Waiting] = []
        self._arrived, self._full, self._gathering = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._blocked: set[Sink] = set()

    async def write(self, sink: Sink, records: Sequence[ConsumerRecord]) -> Written:
        """Write contiguous records of a partition of which nothing else is under way.

        Raises:
            Unavailable: PostgreSQL can't take them now; nothing is lost, try again later.
        """
        outcome: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(Portion(sink, records), outcome))
        self._notice()
        return await outcome

    async def run(self) -> None:
        """Write what comes, until this is cancelled."""
        await asyncio.gather(*(self._lane() for _ in range(LANES)))

    async def _lane(self) -> None:
        database = Database(self._url)
        try:
            while True:
                await self._store(database, await self._gathered())
        finally:
            await database.close()

    async def _gathered(self) -> list[Waiting]:
        """The portions of the next transaction."""
        async with self._gathering:
            await self._arrived.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._full.wait()
            taken = self._take()
            self._notice()
            return taken

    def _take(self) -> list[Waiting]:
        """As many portions as make a transaction full; those of a blocked table only among themselves."""
        taken, left, events = [], [], 0
        self._waiting = [waiting for waiting in self._waiting if not waiting.outcome.done()]  # given up
        if not self._waiting:
            return []
        apart = self._waiting[0].portion.sink if self._waiting[0].portion.sink in self._blocked else None
        for waiting in self._waiting:
            sink = waiting.portion.sink
            fits = sink is apart if apart is not None else sink not in self._blocked
            if fits and events < FULL:
                taken.append(waiting)
                events += len(waiting.portion.records)
            else:
                left.append(waiting)
        self._waiting = left
        return taken

    def _notice(self) -> None:
        """Bring the events up to date with what waits."""
        _set(self._arrived, to=bool(self._waiting))
        _set(self._full, to=sum(len(waiting.portion.records) for waiting in self._waiting) >= FULL)

    async def _store(self, database: Database, group: Sequence[Waiting]) -> None:
        """Write a group; if it is blocked, each of its tables by itself."""
        sinks = {waiting.portion.sink for waiting in group}
        if not group:
            return
        try:
            stored = await write(database, [waiting.portion for waiting in group], self._lang)
        except asyncio.CancelledError:
            for waiting in group:
                waiting.outcome.cancel()
            raise
        except BlockedError as error:
            if len(sinks) == 1:
                self._blocked |= sinks
                _fail(group, error)
            else:
                for sink in sinks:
                    await self._store(database, [one for one in group if one.portion.sink is sink])
        except Exception as error:  # its writers know what to do
            _fail(group, error)
        else:
            self._blocked -= sinks
            for table, rows in stored.rows.items():
                metrics.ROWS_WRITTEN.labels(table).inc(rows)
            for waiting, written in zip(group, stored.written, strict=True):
                if not waiting.outcome.done():  # else nobody waits any more
                    waiting.outcome.set_result(written)


def _fail(group: Sequence[Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)


def _set(event: asyncio.Event, *, to: bool) -> None:
    if to:
        event.set()
    else:
        event.clear()
