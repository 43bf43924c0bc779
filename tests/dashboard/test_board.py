"""One reader for all visitors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import pytest

from dashboard.board import Board
from dashboard.models import State
from dashboard.store import Store
from tests.dashboard.rows import Plant, now_ms
from tests.eventually import eventually
from tests.services import OwnServers, Services

pytestmark = pytest.mark.quick


@pytest.fixture
def plant(services: Services) -> Plant:
    plant = Plant(services.migrated_database())
    plant.data("ligne1", now_ms())
    return plant


@asynccontextmanager
async def kept(url: str) -> AsyncIterator[Board]:
    """A board that reads until the block ends."""
    board = Board(Store(url))
    reading = asyncio.create_task(board.keep())
    yield board
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def until(condition: object) -> None:
    async def holds() -> bool:
        assert callable(condition)
        return bool(condition())

    await eventually(holds)


async def test_many_pages_are_one_connection(plant: Plant):
    """A hundred pages are notified of every reading, and PostgreSQL has one connection."""
    heard = [0] * 100

    def hear(page: int) -> None:
        heard[page] += 1

    async with kept(plant.url) as board:
        for page in range(100):
            board.subscribe(partial(hear, page), "ligne1")
        await until(lambda: min(heard) >= 2)
        async with await psycopg.AsyncConnection.connect(plant.url) as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'linepulse dashboard' AND datname = current_database()"
            )
            assert await cursor.fetchone() == (1,)
        assert board.overview.tiles[0].line_id == "ligne1"


async def test_a_line_is_read_in_full_only_while_somebody_looks(plant: Plant):
    """Its detail comes with the first page on it and goes with the last."""
    async with kept(plant.url) as board:
        first = board.subscribe(lambda: None, "ligne1")
        second = board.subscribe(lambda: None, "ligne1")
        await until(lambda: "ligne1" in board.details)
        first()
        first()
        board.subscribe(lambda: None)
        now = board.now
        await until(lambda: board.now > now)
        assert "ligne1" in board.details
        second()
        await until(lambda: "ligne1" not in board.details)


async def test_lines_that_nobody_looks_at_are_not_remembered(plant: Plant):
    """However many addresses are requested, only open pages are remembered."""
    async with kept(plant.url) as board:
        visits = [board.subscribe(lambda: None, f"line{k}") for k in range(1000)]
        assert len(board._watched) == 1000
        for leave in visits:
            leave()
        assert len(board._watched) == 0
        assert board._listeners == {}


async def test_a_page_that_fails_is_the_only_one_to_fail(plant: Plant, caplog: pytest.LogCaptureFixture):
    """The reader and the other pages continue, and it is logged once."""
    heard = 0

    def hear() -> None:
        nonlocal heard
        heard += 1

    async with kept(plant.url) as board:
        board.subscribe(lambda: 1 / 0)  # type: ignore[arg-type]
        board.subscribe(hear)
        await until(lambda: heard >= 3)
    assert [record.message for record in caplog.records] == ["the page can't show \"a visitor's page\""]
    assert "ZeroDivisionError" in caplog.text


async def test_what_can_not_be_formed_costs_its_own_place(plant: Plant, caplog: pytest.LogCaptureFixture):
    """Another text replaces it, and the cause is logged once."""
    async with kept(plant.url) as board:
        for _ in range(3):
            assert board.guarded("tile", lambda: str(1 // 0), lambda: "failed") == "failed"
        assert board.guarded("tile", lambda: "well", lambda: "failed") == "well"
    assert len(caplog.records) == 1


async def test_states_age_while_nothing_can_be_read(services: Services, own: OwnServers):
    """A line that ran when PostgreSQL went away is not shown as running half a minute later."""
    server = own.postgres()
    plant = Plant(services.migrated_database(server), "[line]\nsilence_s = 1\n")
    plant.data("ligne1", now_ms())
    said: list[str] = []
    board = Board(Store(plant.url), say=lambda key, **_facts: said.append(key))
    reading = asyncio.create_task(board.keep())
    board.subscribe(lambda: None)
    await until(lambda: board.tiles and board.moment.state(board.tiles[0]) is State.RUNNING)
    server.stop()
    await until(lambda: board.trouble is not None)
    await until(lambda: board.moment.state(board.tiles[0]) is State.NO_DATA)
    assert board.read < board.now
    assert said == ["page.away"]
    reading.cancel()
    await asyncio.wait([reading])


async def test_ready_means_that_rows_are_read(plant: Plant):
    """Not before the first reading, and not without a server."""
    async with kept(plant.url) as board:
        assert board.wrong() == "PostgreSQL: not read yet"
        board.subscribe(lambda: None)
        await until(lambda: board.wrong() is None)
    async with kept("postgresql://postgres@127.0.0.1:1/nowhere") as board:
        await until(lambda: board.trouble is not None)
        assert board.trouble is not None
        assert board.trouble.kind == "away"
        assert "127.0.0.1" in (board.wrong() or "")
