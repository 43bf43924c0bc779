"""A connection to PostgreSQL that holds no lock for long, and fails in two ways: refusal, or unavailable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from runtime.sql import statement
from runtime.text import one_line
from schemas.errors import Unavailable
from sinks.halving import is_refusal

APPLICATION = "linepulse-sinks"
TRANSACTION_S = 40.0  # nothing here takes so long, unless the server hangs; the watchdog waits longer
FROZEN_S = 10.0

# A worker that is frozen, or cut off, must not keep others from its partitions: the server ends its
# session. (The one case that no setting covers is left to the statement `rows.end_frozen`.)
SERVER_SIDE = {
    "statement_timeout": "15s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": f"{FROZEN_S:g}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "timezone": "UTC",
    "jit": "off",  # statements of milliseconds: compiling one takes longer
}
CLIENT_SIDE = {
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}

# How the SQLSTATE of a server begins that answers: a wrong state or a lock, a missing privilege or table, a
# deadlock, a statement that took too long.
BLOCKED = ("55", "42", "40", "57014")


class BlockedError(Unavailable):
    """PostgreSQL answers, and can't do this now; it may well do something else."""


class Database:
    """One connection, opened when it is needed, and opened anew after any failure."""

    def __init__(self, url: str) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in SERVER_SIDE.items())
        self._conninfo = make_conninfo(url, application_name=APPLICATION, options=options, **CLIENT_SIDE)
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """A transaction that the block commits itself; without that it is rolled back.

        Raises:
            Unavailable: PostgreSQL is away, full, locked or overloaded (BlockedError: it answers). Nothing
                is committed; if the connection broke in the commit, everything may be, and the cursor then
                shows which.
            psycopg.Error: a refusal (see `is_refusal`) that the block let out, or a fault of ours.
        """
        try:
            async with self._turn, asyncio.timeout(TRANSACTION_S):
                connection = await self._open()
                yield connection
                if connection.info.transaction_status != TransactionStatus.IDLE:
                    await connection.rollback()
        except psycopg.Error as error:
            await self.close()
            if is_refusal(error) or (error.sqlstate is None and isinstance(error, psycopg.ProgrammingError)):
                raise
            if isinstance(error, psycopg.errors.LockNotAvailable):
                await self._end_frozen()
            kind = BlockedError if (error.sqlstate or "").startswith(BLOCKED) else Unavailable
            raise kind(f"PostgreSQL: {one_line(error)}") from error
        except TimeoutError as error:
            await self.close()
            raise Unavailable(f"PostgreSQL: no answer in {TRANSACTION_S:g} s") from error
        except BaseException:
            await self.close()  # a statement may be under way, whose result will not be read
            raise

    async def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo)
        return self._connection

    async def _end_frozen(self) -> None:
        """End the session that holds the lock that we did not get, if it froze in the middle of a COPY."""
        with contextlib.suppress(psycopg.Error):
            connection = await self._open()
            await connection.execute(
                statement("rows.end_frozen"), {"application": APPLICATION, "seconds": FROZEN_S}
            )
            await connection.commit()
