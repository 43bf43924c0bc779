"""One reader for all who look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from dashboard.board import Board
from dashboard.store import Store
from tests.dashboard.rows import Plant, now_ms
from tests.eventually import eventually
from tests.services import Services


@pytest.fixture
def plant(services: Services) -> Plant:
    plant = Plant(services.database())
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
    """A hundred pages hear every reading, and PostgreSQL sees one reader."""
    heard = [0] * 100

    def hear(page: int) -> None:
        heard[page] += 1

    async with kept(plant.url) as board:
        for page in range(100):
            board.subscribe(lambda page=page: hear(page), "ligne1")
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
