"""The reading that all visitors see: one reader reads PostgreSQL once a second for all of them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import psycopg

from dashboard.models import Detail, Overview, PageRules, StageRow, Tile
from dashboard.moment import STALLED_AFTER, Halt, Moment, Pipeline, pipeline
from dashboard.store import Store
from runtime import metrics
from runtime.text import one_line

EVERY_S = 1.0
IDLE_S = 5.0  # without visitors: only readiness depends on the reading
READ_S = 4.0  # PostgreSQL is away if it has not answered for so long
READY_S = 15.0
MOST_FAULTS = 100  # that are logged and remembered: a page that fails in ever new ways stays bounded

Unsubscribe = Callable[[], None]
log = logging.getLogger("dashboard")


class Trouble(NamedTuple):
    """Why there is no new reading: PostgreSQL is `away`, or our `schema` is not in it.

    `why` is for the log and `/readyz`; the page shows a sentence of the catalogue instead.
    """

    kind: Literal["away", "schema"]
    why: str


class Board:
    """The latest reading, and the listeners to notify of the next."""

    def __init__(
        self,
        store: Store,
        ahead: timedelta = timedelta(),
        say: Callable[..., None] = lambda _key, **_facts: None,
    ) -> None:
        """`ahead`: how far the page's clock is ahead of PostgreSQL's. `say`: writes to the narrated log."""
        self._store = store
        self._ahead = ahead
        self._say = say
        self._listeners: dict[int, Callable[[], None]] = {}
        self._watched: Counter[str] = Counter()  # visitors by line whose page is open
        self._wanted = asyncio.Event()
        self._read_at = -READY_S
        self._next_key = 0
        self._shared: dict[Hashable, str] = {}
        self._faults: set[Hashable] = set()
        self._stages: list[StageRow] = []
        self.read = datetime.now(UTC) + ahead  # the time of the latest reading
        self.moment = Moment(self.read)
        self.overview = Overview()
        self.tiles: list[Tile] = []  # of the overview, in the order shown
        self.details: dict[str, Detail] = {}
        self.loaded = False
        self.trouble: Trouble | None = None

    @property
    def now(self) -> datetime:
        """The current time; it advances also while nothing can be read."""
        return self.moment.now

    @property
    def page_rules(self) -> PageRules:
        """What the page needs of the rules in force."""
        return self.moment.page_rules

    def subscribe(self, listener: Callable[[], None], line_id: str | None = None) -> Unsubscribe:
        """Have `listener` called after each reading; with `line_id`, that line is read in full."""
        self._next_key += 1
        key = self._next_key
        self._listeners[key] = listener
        if line_id is not None:
            self._watched[line_id] += 1
        self._wanted.set()

        def unsubscribe() -> None:
            if self._listeners.pop(key, None) is not None and line_id is not None:
                self._watched[line_id] -= 1
                if not self._watched[line_id]:
                    del self._watched[line_id]

        return unsubscribe

    def shared(self, key: Hashable, form: Callable[[], str]) -> str:
        """The result of `form` for this reading, computed once for all callers with the same key."""
        if key not in self._shared:
            self._shared[key] = form()
        return self._shared[key]

    def guarded(self, what: Hashable, form: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """The result of `form`; if that fails, it is logged once, and the result of `otherwise` is used."""
        try:
            return form()
        except Exception:
            self._fault(what)
            return otherwise()

    def wrong(self) -> str | None:
        """None while PostgreSQL is read, else the sentence for `/readyz`."""
        if self.trouble is not None:
            return f"PostgreSQL: {self.trouble.why}"
        return None if time.monotonic() - self._read_at < READY_S else "PostgreSQL: not read yet"

    async def keep(self) -> None:
        """Read for ever. If PostgreSQL is away, that is shown, and the next reading tries again."""
        try:
            while True:
                began = time.monotonic()
                await self._read_and_notify()
                pause = (EVERY_S if self._listeners else IDLE_S) - (time.monotonic() - began)
                await self._pause(max(0.05, pause))
        finally:
            await self._store.close()

    async def _read_and_notify(self) -> None:
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
            await self._fail(Trouble("away", one_line(error)))
        self._update_moment()
        for listener in list(self._listeners.values()):
            try:
                listener()
            except Exception:  # one visitor's page failed: the others, and the reader, go on
                self._fault("a visitor's page")

    async def _read(self) -> None:
        async with self._store.reading():
            now = await self._store.now() + self._ahead
            page_rules = await self._store.page_rules()
            stages = await self._store.stages()
            moment = Moment(now, page_rules, pipeline(stages, now))
            overview = await self._store.overview(now, moment.gone(), self._watched)
            self.details = {
                tile.line_id: await self._store.detail(tile.line_id, now)
                for tile in overview.tiles
                if tile.line_id in self._watched
            }
        self.overview, self._stages, self.moment = overview, stages, moment
        self.read, self.loaded = now, True
        self.trouble = None
        self._read_at = time.monotonic()

    def _update_moment(self) -> None:
        """Work out how the latest reading looks now: its states age also without a new one."""
        self._shared.clear()
        if self.trouble is not None:
            now = self.read + timedelta(seconds=max(0.0, time.monotonic() - self._read_at))
            if not self.loaded:
                now = datetime.now(UTC) + self._ahead
            seen = pipeline(self._stages, now)
            if self.loaded and now - self.read > STALLED_AFTER:
                seen = Pipeline(Halt("page", self.read), seen.ahead)
            self.moment = Moment(now, self.page_rules, seen)
        self.tiles = self.moment.arranged(self.overview)

    def _fault(self, what: Hashable) -> None:
        if what not in self._faults and len(self._faults) < MOST_FAULTS:
            self._faults.add(what)
            log.exception("the page can't show %r", what)

    async def _fail(self, trouble: Trouble) -> None:
        if self.trouble is None or self.trouble.kind != trouble.kind:
            self._say(f"page.{trouble.kind}", why=trouble.why)
        self.trouble = trouble
        metrics.PAGE_FAILURES.inc()
        await self._store.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not once a visitor arrives: the first one must not wait for an idle reader."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
