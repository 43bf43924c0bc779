"""What all sessions see, read by one reader once a second, however many people look."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import psycopg

from dashboard.models import Detail, InForce, Overview
from dashboard.store import Store
from runtime import metrics

EVERY_S = 1.0
IDLE_S = 5.0  # nobody looks: only readiness wants to know
READ_S = 4.0  # a PostgreSQL that says nothing for so long is away
READY_S = 15.0

Unsubscribe = Callable[[], None]


class Trouble(NamedTuple):
    """Why there is no new reading: PostgreSQL is `away`, or our `schema` is not in it."""

    kind: Literal["away", "schema"]
    why: str


def now_utc() -> datetime:
    return datetime.now(UTC)


class Board:
    """The latest reading, and those who want to hear of the next."""

    def __init__(self, store: Store, now: Callable[[], datetime] = now_utc) -> None:
        self._store = store
        self._now = now
        self._listeners: dict[int, Callable[[], None]] = {}
        self._watched: Counter[str] = Counter()
        self._wanted = asyncio.Event()
        self._read_at = -READY_S
        self._next_key = 0
        self._shared: dict[Hashable, str] = {}
        self.now = now()
        self.overview = Overview()
        self.details: dict[str, Detail] = {}
        self.in_force = InForce()
        self.loaded = False
        self.trouble: Trouble | None = None

    def subscribe(self, hear: Callable[[], None], line_id: str | None = None) -> Unsubscribe:
        """Have `hear` called after each reading; with `line_id`, that line is read in full."""
        self._next_key += 1
        key = self._next_key
        self._listeners[key] = hear
        if line_id is not None:
            self._watched[line_id] += 1
        self._wanted.set()

        def unsubscribe() -> None:
            if self._listeners.pop(key, None) is not None and line_id is not None:
                self._watched[line_id] -= 1

        return unsubscribe

    def shared(self, key: Hashable, form: Callable[[], str]) -> str:
        """What `form` makes of this reading, made once for all who ask with the same key."""
        if key not in self._shared:
            self._shared[key] = form()
        return self._shared[key]

    def wrong(self) -> str | None:
        """None while PostgreSQL is read, else the sentence that `/readyz` gives."""
        if self.trouble is not None:
            return f"PostgreSQL: {self.trouble.why}"
        return None if time.monotonic() - self._read_at < READY_S else "PostgreSQL: not read yet"

    async def keep(self) -> None:
        """Read for ever. PostgreSQL away is shown, and tried again at the next turn."""
        try:
            while True:
                began = time.monotonic()
                await self._turn()
                pause = (EVERY_S if self._listeners else IDLE_S) - (time.monotonic() - began)
                await self._rest(max(0.05, pause))
        finally:
            await self._store.close()

    async def _turn(self) -> None:
        self._wanted.clear()
        metrics.PAGE_VISITORS.set(len(self._listeners))
        try:
            with metrics.PAGE_SECONDS.time():
                async with asyncio.timeout(READ_S):
                    await self._read()
        except TimeoutError:
            await self._fail(Trouble("away", f"no answer for {READ_S:g} s"))
        except psycopg.ProgrammingError as error:  # no such table or column
            await self._fail(Trouble("schema", error.diag.message_primary or str(error)))
        except (psycopg.Error, OSError) as error:
            await self._fail(Trouble("away", " ".join(str(error).split())))
        for hear in list(self._listeners.values()):
            hear()

    async def _read(self) -> None:
        now = self._now()
        async with self._store.reading():
            overview = await self._store.overview(now)
            self.in_force = await self._store.in_force()
            self.details = {
                tile.line_id: await self._store.detail(tile.line_id, now)
                for tile in overview.tiles
                if self._watched[tile.line_id] > 0
            }
        self.overview = overview
        self._shared.clear()
        self.now, self.loaded = now, True
        self.trouble = None
        self._read_at = time.monotonic()

    async def _fail(self, trouble: Trouble) -> None:
        self.trouble = trouble
        metrics.PAGE_FAILURES.inc()
        await self._store.close()

    async def _rest(self, seconds: float) -> None:
        """Wait for the next turn; who opens the page while nobody looks does not wait for it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
