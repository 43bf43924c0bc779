"""Writes rows to the shadow tables by COPY, in a thread with a connection of its own, while the fold runs."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import psycopg
from psycopg import sql

from rebuild.checkpoint import Checkpoint, read_checkpoints
from rebuild.database import away, connect
from rebuild.latest import FormedRows
from runtime.sql import composed, statement
from schemas.errors import Unavailable
from sinks.copy_text import copy_text
from sinks.halving import Halving, is_refusal
from sinks.tables import Table, listed

AHEAD = 2  # chunks that may wait for PostgreSQL


class Writer:
    """Writes rows, and commits them with a checkpoint.

    What a method raises may be the failure of an earlier one: they share one transaction.

    Raises:
        Unavailable: PostgreSQL went away.
    """

    def __init__(self, database_url: str, schema: str) -> None:
        self._schema = schema
        self._thread = ThreadPoolExecutor(1, "rebuild-writer")
        self._connection = connect(database_url)
        # A crash of PostgreSQL may lose the last transactions, but always rows and their checkpoint together.
        self._connection.execute("SET synchronous_commit = off")
        self._connection.execute("SET lock_timeout = '15s'")
        self._connection.commit()
        self._waiting: deque[Future[None]] = deque()
        self._failed = False
        self._refused = 0  # rows that PostgreSQL refused since the last checkpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for waiting in self._waiting:
            waiting.cancel()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._connection.close()

    async def acquire(self, partition: int) -> Checkpoint | None:
        """Lock a partition against other writers; its checkpoint, None if it was not begun.

        Raises:
            Unavailable: a process of an interrupted rebuild still writes it.
        """
        return await asyncio.wrap_future(self._thread.submit(self._acquire, partition))

    async def release(self, partition: int) -> None:
        """Wait until all is written, then unlock the partition."""
        await self.flush()
        await asyncio.wrap_future(self._thread.submit(self._release, partition))

    async def put(self, rows: Mapping[Table, Sequence[str]]) -> None:
        """Write lines of rows that are new."""
        await self._next(lambda: self._put_all(rows, self._copy))

    async def commit(self, formed: FormedRows, checkpoint: Checkpoint) -> None:
        """Write these rows and the checkpoint, and commit them with all rows before."""

        def work() -> None:
            self._put_all(formed.new, self._copy)
            self._put_all(formed.upserts, self._copy_again)
            checkpoint.save(self._connection, self._schema, self._refused)
            self._connection.commit()
            self._refused = 0

        await self._next(work)

    async def flush(self) -> None:
        """Wait until all is written."""
        while self._waiting:
            await asyncio.wrap_future(self._waiting.popleft())

    async def _next(self, work: Callable[[], None]) -> None:
        while len(self._waiting) >= AHEAD:
            await asyncio.wrap_future(self._waiting.popleft())
        self._waiting.append(self._thread.submit(self._do, work))

    # -- in the thread

    def _do(self, work: Callable[[], None]) -> None:
        if self._failed:
            return  # a checkpoint must not cover rows that are missing
        try:
            work()
        except BaseException as error:
            self._failed = True
            if isinstance(error, psycopg.OperationalError):
                raise away(error) from error
            raise

    def _acquire(self, partition: int) -> Checkpoint | None:
        try:
            with self._connection.transaction():
                self._connection.execute(statement("rebuild.lock_partition"), [partition])
        except psycopg.errors.LockNotAvailable:
            raise Unavailable(
                f"partition {partition} is still written by another process; see which linepulse rebuild runs"
            ) from None
        found = read_checkpoints(self._connection, self._schema).get(partition)
        self._connection.commit()
        return found

    def _release(self, partition: int) -> None:
        self._connection.execute(statement("rebuild.unlock_partition"), [partition])
        self._connection.commit()

    def _put_all(
        self, rows: Mapping[Table, Sequence[str]], copy: Callable[[Table, Sequence[str]], None]
    ) -> None:
        for table, lines in rows.items():
            if lines:
                self._put(table, lines, copy)

    def _put(self, table: Table, lines: Sequence[str], copy: Callable[[Table, Sequence[str]], None]) -> None:
        """Copy all lines except those that PostgreSQL refuses."""
        parts = Halving(lines)
        for part in parts:
            # Not psycopg's transaction(): if none is open, it begins one and commits it.
            self._connection.execute(statement("rows.savepoint"))
            try:
                copy(table, part)
            except (psycopg.Error, UnicodeEncodeError) as error:
                if not is_refusal(error):
                    raise
                self._connection.execute(statement("rows.back_to_savepoint"))
                if (
                    isinstance(error, psycopg.errors.UniqueViolation)
                    and table.versioned
                    and copy == self._copy
                ):
                    copy = self._copy_again
                    parts.repeat(part)
                else:
                    parts.refuse(part, error)
            else:
                self._connection.execute(statement("rows.release_savepoint"))
        self._refused += len(parts.refused)

    def _copy(self, table: Table, lines: Sequence[str]) -> None:
        self._send(table, sql.Identifier(self._schema, table.name), lines)

    def _copy_again(self, table: Table, lines: Sequence[str]) -> None:
        made, staging = sql.Identifier(self._schema, table.name), sql.Identifier("pg_temp", table.name)
        self._connection.execute(composed("rows.create_staging", staging=table.name, table=made))
        self._send(table, staging, lines)
        self._connection.execute(
            composed(
                "rows.upsert_staged",
                staging=staging,
                table=made,
                columns=listed(table.copy_columns),
                new_columns=listed(table.copy_columns, "excluded"),
            )
        )
        self._connection.execute(sql.SQL("TRUNCATE {}").format(staging))

    def _send(self, table: Table, into: sql.Identifier, lines: Sequence[str]) -> None:
        with self._connection.cursor().copy(table.copy_into(into)) as copy:
            copy.write(copy_text(lines))
