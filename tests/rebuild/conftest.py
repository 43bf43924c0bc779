"""A plant whose log, streams and sinks are real, and what a rebuild makes of it."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rebuild.caught_up import live_tables_caught_up
from rebuild.ends import extents
from runtime.rules_in_force import settle_rules
from runtime.settings import Settings
from tests.commands import environment, linepulse
from tests.rebuild.story import Written, write
from tests.services import Services
from tests.streams.raw import Worker

NAMES = ("ProductionData", "ProductionOrder", "Downtime", "Alert", "KPISnapshot", "DeadLetter")
RULES = "[line.order]\nquantity = 150\n"


class Replayed:
    """A plant whose log the test writes, and whose rows the roles make."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def write(self, records: Iterator[Written]) -> int:
        """Append records to the log."""
        return asyncio.run(write(self.settings, records))

    def live(self, generation: int = 1) -> None:
        """The roles apply all of the log, and end."""
        with Worker(self.settings), Worker(self.settings, "sinks"):
            self.wait_until_applied(generation)

    def wait_until_applied(self, generation: int = 1) -> None:
        """Wait until the live tables hold all that the log holds."""
        found = asyncio.run(extents(self.settings))
        ends = {partition: extent.end for partition, extent in found.items()}
        for _ in range(6):  # each waits 10 s for a role that starts
            if asyncio.run(live_tables_caught_up(self.settings, generation, ends)):
                return
        raise AssertionError("the roles stand still")

    def rebuild(self, *words: str) -> dict[str, Any]:
        """What `linepulse rebuild --json` prints."""
        done = linepulse(environment(self.settings), "rebuild", "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def says(self, *words: str) -> str:
        """What `linepulse rebuild` prints for people."""
        done = linepulse(environment(self.settings), "rebuild", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the database says."""
        with psycopg.connect(self.settings.database_url) as connection:
            return connection.execute(query, values or None).fetchall()

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        """Change something as a person would."""
        with psycopg.connect(self.settings.database_url) as connection:
            connection.execute(query, values or None)

    def digests(self, schema: str = "public") -> dict[str, str]:
        """All rows of each table as one digest, without their generation and version."""
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
def plant(services: Services, tmp_path: Path) -> Replayed:
    """A plant that is set up, with rules of small orders and an empty log."""
    rules = tmp_path / "plant.toml"
    rules.write_text(RULES)
    settings = services.settings(plant=rules, lang="en", database_url=services.migrated_database())
    asyncio.run(settle_rules(settings, RULES))
    return Replayed(settings)
