"""Rows into the shadow tables, by COPY, beside the work of the fold: a connection in a thread of its own."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import psycopg
from psycopg import sql

from rebuild.checkpoint import Checkpoint, read_checkpoints
from rebuild.database import away, connect
from rebuild.latest import Formed
from rebuild.rows import columns
from runtime.sql import composed, statement
from schemas.errors import Unavailable
from sinks.database import is_refusal
from sinks.tables import Table

AHEAD = 2  # chunks that may wait for PostgreSQL


class Writer:
    """Writes rows, and now and then a checkpoint that makes them count.

    What a method raises may be the failure of an earlier one: all of them are of one transaction.

    Raises:
        Unavailable: PostgreSQL went away.
    """

    def __init__(self, database_url: str, schema: str) -> None:
        self._schema = schema
        self._thread = ThreadPoolExecutor(1, "rebuild-writer")
        self._connection = connect(database_url)
        # A crash of PostgreSQL takes the last rows back, and their checkpoint with them.
        self._connection.execute("SET synchronous_commit = off")
        self._connection.execute("SET lock_timeout = '15s'")
        self._connection.commit()
        self._waiting: deque[Future[None]] = deque()
        self._failed = False
        self._refused = 0  # rows that PostgreSQL did not take since the last checkpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for waiting in self._waiting:
            waiting.cancel()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._connection.close()

    async def take_up(self, partition: int) -> Checkpoint | None:
        """Where a partition stands, None if it was not begun; nobody else writes it from now on.

        Raises:
            Unavailable: a process of a rebuild that was cut off still writes it.
        """
        return await asyncio.wrap_future(self._thread.submit(self._take_up, partition))

    async def leave(self, partition: int) -> None:
        """Wait until all is written; others may write the partition."""
        await self.done()
        await asyncio.wrap_future(self._thread.submit(self._leave, partition))

    async def put(self, rows: Mapping[Table, Sequence[str]]) -> None:
        """Write lines of rows that are new."""
        await self._next(lambda: self._put_all(rows, self._copy))

    async def settle(self, formed: Formed, checkpoint: Checkpoint) -> None:
        """Write the rest, and the checkpoint, and commit."""

        def work() -> None:
            self._put_all(formed.new, self._copy)
            self._put_all(formed.again, self._copy_again)
            checkpoint.save(self._connection, self._schema, self._refused)
            self._connection.commit()
            self._refused = 0

        await self._next(work)

    async def done(self) -> None:
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
            return  # a checkpoint must not tell of rows that are missing
        try:
            work()
        except BaseException as error:
            self._failed = True
            if isinstance(error, psycopg.OperationalError):
                raise away(error) from error
            raise

    def _take_up(self, partition: int) -> Checkpoint | None:
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

    def _leave(self, partition: int) -> None:
        self._connection.execute(statement("rebuild.unlock_partition"), [partition])
        self._connection.commit()

    def _put_all(
        self, rows: Mapping[Table, Sequence[str]], copy: Callable[[Table, Sequence[str]], None]
    ) -> None:
        for table, lines in rows.items():
            if lines:
                self._put(table, lines, copy)

    def _put(self, table: Table, lines: Sequence[str], copy: Callable[[Table, Sequence[str]], None]) -> None:
        """Copy lines, halving them until what PostgreSQL refuses stands alone."""
        # Not psycopg's transaction(): where none is open it is one of its own, and commits.
        self._connection.execute("SAVEPOINT rows")
        halve = True
        try:
            copy(table, lines)
        except UnicodeEncodeError:
            pass
        except psycopg.errors.UniqueViolation:
            if table.versioned and copy == self._copy:
                copy, halve = self._copy_again, False
        except psycopg.Error as error:
            if not is_refusal(error):
                raise
        else:
            self._connection.execute("RELEASE SAVEPOINT rows")
            return
        self._connection.execute("ROLLBACK TO SAVEPOINT rows")
        if not halve:
            self._put(table, lines, copy)
            return
        if len(lines) == 1:
            self._refused += 1
            return
        half = len(lines) // 2
        self._put(table, lines[:half], copy)
        self._put(table, lines[half:], copy)

    def _copy(self, table: Table, lines: Sequence[str]) -> None:
        self._send("rows.copy_to_schema", table, lines)

    def _copy_again(self, table: Table, lines: Sequence[str]) -> None:
        parts = {"schema": self._schema, "table": table.name}
        self._connection.execute(composed("rows.create_staging", **parts))
        self._send("rows.copy_to_staging", table, lines)
        names, new = columns(table), ("excluded",)
        self._connection.execute(
            composed("rows.upsert_staged", columns=_listed(names), new_columns=_listed(names, *new), **parts)
        )
        self._connection.execute(sql.SQL("TRUNCATE pg_temp.{}").format(sql.Identifier(table.name)))

    def _send(self, name: str, table: Table, lines: Sequence[str]) -> None:
        data = "\n".join([*lines, ""]).encode()
        query = composed(name, schema=self._schema, table=table.name, columns=_listed(columns(table)))
        with self._connection.cursor().copy(query) as copy:
            copy.write(data)


def _listed(names: Sequence[str], *of: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*of, name) for name in names)
