"""A plant whose log, streams and sinks are real, and what a rebuild makes of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from linepulse.rebuild.ends import extents
from linepulse.rebuild.level import level
from runtime.settings import Settings
from tests.commands import environment, linepulse
from tests.linepulse.rebuild.story import Written, write
from tests.services import Services
from tests.sinks.conftest import make_plant
from tests.streams.raw import RawLog, Worker

NAMES = ("ProductionData", "ProductionOrder", "Downtime", "Alert", "KPISnapshot", "DeadLetter")
RULES = "[line.order]\nquantity = 150\n"


class Replayed:
    """A plant, its log written straight, its rows made by the roles."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def write(self, records: Iterator[Written]) -> int:
        """More of the log."""
        return await write(self.settings, records)

    async def live(self) -> None:
        """The roles apply all of the log, and end."""
        with Worker(self.settings), Worker(self.settings, "sinks"):
            await self.levelled()

    async def levelled(self) -> None:
        """Wait until the live tables hold all that the log holds."""
        ends = {partition: extent.end for partition, extent in (await extents(self.settings)).items()}
        for _ in range(6):  # each waits 10 s for a role that starts
            if await level(self.settings, 1, ends):
                return
        raise AssertionError("the roles stand still")

    def rebuild(self, *words: str) -> dict[str, Any]:
        """What `linepulse rebuild --json` prints."""
        done = linepulse(environment(self.settings), "rebuild", "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the database says."""
        with psycopg.connect(self.settings.database_url) as connection:
            return connection.execute(query, values or None).fetchall()  # type: ignore[call-overload]

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        """Change something as a person would."""
        with psycopg.connect(self.settings.database_url) as connection:
            connection.execute(query, values or None)  # type: ignore[call-overload]

    def digests(self, schema: str = "public") -> dict[str, str]:
        """All rows of each table, as one digest; without what tells which generation made them."""
        found = {}
        for name in NAMES:
            query = (
                "SELECT md5(string_agg(row, ';' ORDER BY row)) FROM (SELECT (to_jsonb(t) - 'generation'"
                f""" - 'versionTime' - 'versionOffset')::text AS row FROM {schema}."{name}" t) AS rows"""
            )
            found[name] = self.rows(query)[0][0]
        return found


def differing(printed: dict[str, Any]) -> dict[str, int]:
    """Rows that are not the same, by table where there are any."""
    sums = {name: sum(what.values()) - what["same"] for name, what in printed["tables"].items()}
    return {name: count for name, count in sums.items() if count}


@pytest.fixture
async def plant(services: Services, tmp_path: Path) -> AsyncIterator[Replayed]:
    """Set up, with rules of small orders; nothing in its log."""
    rules = tmp_path / "plant.toml"
    rules.write_text(RULES)
    settings = services.settings(plant=rules, lang="en")
    made = await asyncio.to_thread(make_plant, settings.database_url)
    made.run('UPDATE "Generation" SET plant = %s', [RULES])
    async with RawLog(settings) as log:
        await log.rules(RULES)
    yield Replayed(settings)
    await made.close()
