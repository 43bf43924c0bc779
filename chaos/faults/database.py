"""Faults of PostgreSQL that leave it running: no disk, no connections, no lock."""

import asyncio
import contextlib
import time

import psycopg
from psycopg import sql

from chaos.faults.fault import Fault
from chaos.plant import Plant, in_thread, started
from sinks.database import APPLICATION
from sinks.tables import TABLES

END_SINKS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
AGAIN_S = 0.02
CONNECT_S = 60.0


async def connected(plant: Plant, *, autocommit: bool = False) -> psycopg.AsyncConnection:
    """A connection, as soon as PostgreSQL gives one: it may be recovering from the fault before."""
    deadline = time.monotonic() + CONNECT_S
    while True:
        try:
            return await psycopg.AsyncConnection.connect(plant.settings.database_url, autocommit=autocommit)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(AGAIN_S)


class DiskFull(Fault):
    kind = "disk-full"
    what = "PostgreSQL's disk is full, until room is made"
    lasts = (6.0, 15.0)

    def why_not(self) -> str | None:
        why = self.plant.disk.why_not
        return None if why is None else f"PostgreSQL has no disk of its own here: {why}"

    async def begin(self) -> None:
        await in_thread(self.plant.disk.fill)
        self._filling = asyncio.create_task(self._keep_full())

    async def end(self) -> None:
        self._filling.cancel()
        await asyncio.wait({self._filling})
        self.plant.disk.free()
        if not self.plant.postgres.running:  # it ends when it can't write its log
            self.detail = "PostgreSQL had ended"
            await started(self.plant.postgres)

    async def _keep_full(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await in_thread(self.plant.disk.fill)


class ConnectionsExhausted(Fault):
    kind = "connections-exhausted"
    what = "all of PostgreSQL's connections are taken, those of the sinks among them"
    lasts = (6.0, 15.0)

    async def begin(self) -> None:
        first = await connected(self.plant, autocommit=True)
        self._taken = [first]
        await self._take_all()
        await first.execute(END_SINKS, [APPLICATION])
        self._taking = asyncio.create_task(self._keep_taken())

    async def end(self) -> None:
        self._taking.cancel()
        await asyncio.wait({self._taking})
        self.detail = f"{len(self._taken)} taken"
        for connection in self._taken:
            await connection.close()

    async def _take_all(self) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                connection = await psycopg.AsyncConnection.connect(
                    self.plant.settings.database_url, autocommit=True, connect_timeout=5
                )
                self._taken.append(connection)

    async def _keep_taken(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_S)
            await self._take_all()


class LongLock(Fault):
    kind = "long-lock"
    what = "somebody holds an ACCESS EXCLUSIVE lock on a table"
    targets = (*(table.name for table in TABLES), "SinkCursor")
    lasts = (6.0, 20.0)

    async def begin(self) -> None:
        self._holder = await connected(self.plant)
        await self._holder.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(self.target))
        )

    async def end(self) -> None:
        await self._holder.close()
