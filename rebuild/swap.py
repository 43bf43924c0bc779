"""The swap: the shadow tables replace the live ones, in one transaction.

The live tables move to the schema `generation_<old>`, and those of `generation_<new>` to where they were.
Sinks wait at the cursor table meanwhile. The swap waits for a reader that holds one of the tables, but only
for short times: whoever queues behind the swap must not be blocked as well.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from rebuild.new_generation import NewGeneration
from runtime.errors import UserError
from runtime.settings import Settings, without_password
from runtime.sql import composed, statement
from runtime.text import one_line
from schemas.errors import Unavailable
from sinks.database import APPLICATION as SINKS
from sinks.database import CLIENT_SIDE, FROZEN_S, SERVER_SIDE
from sinks.tables import KPI_SUM, TABLES

MOVED = (*(table.name for table in TABLES), KPI_SUM)
CURSORS_WAIT = "3s"  # for a sink's transaction under way; no longer than sinks wait for us
TABLES_WAIT = "300ms"  # under PostgreSQL's deadlock_timeout: it is always the swap that gives way
AGAIN_S = (0.1, 0.2, 0.5, 1.0, 2.0)
PATIENCE_S = 900.0
HINT = "the live generation is unchanged, and a next linepulse rebuild goes on from here"


@dataclass(frozen=True)
class Swapped:
    """The result of a swap.

    Attributes:
        old: the generation that was live before.
        left_behind: materialized views, which hold rows of the old generation until they are made anew.
    """

    old: int
    left_behind: tuple[str, ...]


async def swap(
    settings: Settings,
    rebuilt: NewGeneration,
    held: Callable[[str], None] = lambda _who: None,
    step: Callable[[str], None] = lambda _name: None,
    patience_s: float = PATIENCE_S,
) -> Swapped:
    """Put the rebuilt generation in the place of the live one.

    Args:
        held: called with the sessions that hold our tables, whenever they are others than before.
        step: called with `moved` when everything is done and not committed.
    Raises:
        UserError: the tables are not fit to go live, or another session holds the live ones for
            `patience_s`; nothing is changed.
        Unavailable: PostgreSQL went away; `live_generation` says what is live.
    """
    deadline, attempt, reported = time.monotonic() + patience_s, 0, ""
    while True:
        try:
            async with await _connect(settings.database_url) as connection:
                return await _Swap(connection, settings, rebuilt).run(step)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            who = await _holders(settings)
        except psycopg.errors.InsufficientPrivilege as error:
            raise UserError(f"{_where(settings)}: {one_line(error)}; swap as the tables' owner") from error
        except psycopg.OperationalError as error:
            raise Unavailable(f"{_where(settings)}: {one_line(error)}") from error
        if time.monotonic() > deadline:
            raise UserError(f"{_where(settings)}: {who or 'somebody'} holds our tables; end it: {HINT}")
        if who and who != reported:
            reported = who
            held(who)
        await asyncio.sleep(AGAIN_S[min(attempt, len(AGAIN_S) - 1)])
        attempt += 1


async def live_generation(settings: Settings) -> int | None:
    """The generation that is live now.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    try:
        async with await _connect(settings.database_url) as connection:
            row = await (await connection.execute(statement("generation.live"))).fetchone()
    except psycopg.OperationalError as error:
        raise Unavailable(f"{_where(settings)}: {one_line(error)}") from error
    return None if row is None else int(row[0])


async def _connect(url: str) -> psycopg.AsyncConnection:
    """A connection that the server ends if we freeze: everybody waits for the locks that it holds."""
    options = " ".join(f"-c {name}={value}" for name, value in {**SERVER_SIDE, **OURS}.items())
    return await psycopg.AsyncConnection.connect(
        make_conninfo(url, application_name="linepulse-rebuild", options=options, **CLIENT_SIDE)
    )


OURS = {"statement_timeout": "0", "lock_timeout": CURSORS_WAIT, "synchronous_commit": "on"}


class _Swap:
    """One attempt, on a connection of its own: what is not committed when it ends is rolled back."""

    def __init__(
        self, connection: psycopg.AsyncConnection, settings: Settings, rebuilt: NewGeneration
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._rebuilt = rebuilt
        self._parameters = {
            "tables": list(MOVED),
            "shadow": sql.Identifier(rebuilt.schema).as_string(connection),
        }

    async def run(self, step: Callable[[str], None]) -> Swapped:
        connection = self._connection
        await connection.execute(statement("schema.lock"))  # no `setup` in between
        await connection.execute('LOCK TABLE "SinkCursor" IN EXCLUSIVE MODE')  # no sink's transaction
        live = await self._text("SELECT current_schema()")
        old = await self._old_generation()
        views = await self._all("swap.dependents")
        await self._lock([name for kind, name, _ in views if kind == "v"])
        await self._require_alike()
        await self._carry_over(live)
        for (text,) in await self._all("swap.likeness"):
            await self._execute(text)
        await self._move(live, old)
        for _, name, anew in views:
            if anew is not None:  # in place: its privileges, and what depends on it, remain
                await self._make_anew(name, anew)
        await connection.execute(statement("generation.retire"))
        await connection.execute(
            statement("generation.begin"), [self._rebuilt.generation, self._rebuilt.plant_text]
        )
        step("moved")
        await connection.commit()
        return Swapped(old, tuple(name for kind, name, _ in views if kind == "m"))

    async def _old_generation(self) -> int:
        row = await (await self._connection.execute(statement("generation.live"))).fetchone()
        if row is None or row[0] >= self._rebuilt.generation:
            raise UserError(
                f"generation {self._rebuilt.generation} is not the next one of "
                f"{'none' if row is None else row[0]}: somebody else was faster; run linepulse rebuild again"
            )
        return int(row[0])

    async def _lock(self, views: list[str]) -> None:
        """Lock all tables and views: wait shortly for their readers; then nobody reads or writes."""
        await self._connection.execute(
            sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(TABLES_WAIT))
        )
        tables = [sql.Identifier(name) for name in ("Generation", *MOVED)]
        names = [*(sql.SQL(_trusted(name)) for name in views), *tables]
        await self._connection.execute(
            sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(names))
        )

    async def _require_alike(self) -> None:
        if differences := [row[0] for row in await self._all("swap.differences")]:
            raise UserError(
                f"the tables in {self._rebuilt.schema} are not made like the live ones"
                f" ({'; '.join(differences[:5])}); run linepulse rebuild again"
            )

    async def _carry_over(self, live: str) -> None:
        """Carry over what people or sinks added to the live rows while the log was read, and no log holds."""
        places = {"schema": self._rebuilt.schema, "live": live}
        letters = composed("carry.keep_late_letters", **places)
        await self._connection.execute(letters, {"topic": self._settings.topics.raw})
        for name in ("carry.keep_acknowledged", "carry.keep_replayed"):
            await self._connection.execute(composed(name, **places))

    async def _move(self, live: str, old: int) -> None:
        kept, shadow = f"generation_{old}", self._rebuilt.schema
        try:
            await self._connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(kept)))
        except psycopg.errors.DuplicateSchema:
            raise UserError(
                f"{_where(self._settings)}: schema {kept} exists already, and is to take the live tables;"
                " move it away, then run linepulse rebuild again"
            ) from None
        for source, target in ((live, kept), (shadow, live)):
            for name in MOVED:
                await self._connection.execute(
                    sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(
                        sql.Identifier(source, name), sql.Identifier(target)
                    )
                )
        # Only the tables of the rebuild's progress are left there.
        await self._connection.execute("SET LOCAL client_min_messages = warning")
        await self._connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(shadow)))

    async def _all(self, name: str) -> list[Any]:
        return await (await self._connection.execute(statement(name), self._parameters)).fetchall()

    async def _execute(self, text: str) -> None:
        await self._connection.execute(_trusted(text))

    async def _make_anew(self, name: str, definition: str) -> None:
        try:
            await self._execute(definition)
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition) as error:
            raise UserError(
                f"{_where(self._settings)}: {name} can't follow ({one_line(error)}), it names a whole row of"
                f" ours; drop it, and make it again when the new tables are live: {HINT}"
            ) from None

    async def _text(self, query: Any) -> str:
        row = await (await self._connection.execute(query)).fetchone()
        assert row is not None
        return str(row[0])


async def _holders(settings: Settings) -> str:
    """The sessions that hold our tables, as text; a sink that froze in the middle of a COPY is ended."""
    try:
        async with await _connect(settings.database_url) as connection:
            await connection.execute(
                statement("rows.end_frozen"), {"application": SINKS, "seconds": FROZEN_S}
            )
            found = await connection.execute(
                statement("swap.holders"), {"tables": ["SinkCursor", "Generation", *MOVED]}
            )
            rows = await found.fetchall()
    except psycopg.OperationalError as error:
        raise Unavailable(f"{_where(settings)}: {one_line(error)}") from error
    return ", ".join(f"{name or user or '?'} (pid {pid}, {seconds} s)" for pid, name, user, seconds in rows)


def _trusted(text: str) -> Any:
    """SQL that PostgreSQL itself wrote from its catalogue."""
    return text


def _where(settings: Settings) -> str:
    return f"DATABASE_URL: {without_password(settings.database_url)}"
