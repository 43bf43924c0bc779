"""What all sessions see, read by one reader once a second, however many people look."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import psycopg

from dashboard.models import Detail, InForce, Overview, StageRow, Tile
from dashboard.moment import STANDS, Halt, Moment, Pipeline, pipeline
from dashboard.store import Store
from runtime import metrics
from runtime.text import one_line

EVERY_S = 1.0
IDLE_S = 5.0  # nobody looks: only readiness wants to know
READ_S = 4.0  # a PostgreSQL that says nothing for so long is away
READY_S = 15.0
MOST_FAULTS = 100  # that are logged; a page that fails in ever new ways shall not remember all of them

Unsubscribe = Callable[[], None]
log = logging.getLogger("dashboard")


class Trouble(NamedTuple):
    """Why there is no new reading: PostgreSQL is `away`, or our `schema` is not in it.

    `why` is for the log and `/readyz`; people at the page read our own words.
    """

    kind: Literal["away", "schema"]
    why: str


class Board:
    """The latest reading, and those who want to hear of the next."""

    def __init__(
        self,
        store: Store,
        ahead: timedelta = timedelta(),
        say: Callable[..., None] = lambda _key, **_facts: None,
    ) -> None:
        """`ahead`: of PostgreSQL's clock, what the page is read by. `say`: tells the role's log."""
        self._store = store
        self._ahead = ahead
        self._say = say
        self._listeners: dict[int, Callable[[], None]] = {}
        self._watched: Counter[str] = Counter()  # lines that somebody looks at
        self._wanted = asyncio.Event()
        self._read_at = -READY_S
        self._next_key = 0
        self._shared: dict[Hashable, str] = {}
        self._faults: set[Hashable] = set()
        self._stages: list[StageRow] = []
        self.read = datetime.now(UTC) + ahead  # what time it was in the latest reading
        self.moment = Moment(self.read)
        self.overview = Overview()
        self.tiles: list[Tile] = []  # of the overview, as they are shown
        self.details: dict[str, Detail] = {}
        self.loaded = False
        self.trouble: Trouble | None = None

    @property
    def now(self) -> datetime:
        """What time it is: it goes on while nothing can be read."""
        return self.moment.now

    @property
    def in_force(self) -> InForce:
        """What the page needs of the rules in force."""
        return self.moment.in_force

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
                if not self._watched[line_id]:
                    del self._watched[line_id]

        return unsubscribe

    def shared(self, key: Hashable, form: Callable[[], str]) -> str:
        """What `form` makes of this reading, made once for all who ask with the same key."""
        if key not in self._shared:
            self._shared[key] = form()
        return self._shared[key]

    def guarded(self, what: Hashable, form: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """What `form` makes; if it fails, that is logged once, and `otherwise` stands in its place alone."""
        try:
            return form()
        except Exception:
            self._fault(what)
            return otherwise()

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
            await self._fail(Trouble("away", one_line(error)))
        self._look()
        for hear in list(self._listeners.values()):
            try:
                hear()
            except Exception:  # at one visitor's: the others, and the reader, go on
                self._fault("a visitor's page")

    async def _read(self) -> None:
        async with self._store.reading():
            now = await self._store.now() + self._ahead
            in_force = await self._store.in_force()
            stages = await self._store.stages()
            moment = Moment(now, in_force, pipeline(stages, now))
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

    def _look(self) -> None:
        """See the latest reading as it looks now: without a new one, too, its states age."""
        self._shared.clear()
        if self.trouble is not None:
            now = self.read + timedelta(seconds=max(0.0, time.monotonic() - self._read_at))
            if not self.loaded:
                now = datetime.now(UTC) + self._ahead
            seen = pipeline(self._stages, now)
            if self.loaded and now - self.read > STANDS:
                seen = Pipeline(Halt("page", self.read), seen.ahead)
            self.moment = Moment(now, self.in_force, seen)
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

    async def _rest(self, seconds: float) -> None:
        """Wait for the next turn; who opens the page while nobody looks does not wait for it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
