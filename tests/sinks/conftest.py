"""A database with the schema, and sinks that write to it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import ConsumerRecord
from faust.types import TP
from psycopg.rows import dict_row

from runtime.settings import Settings
from schemas.events import Event
from sinks.cursors import Cursors
from sinks.database import Database
from sinks.schema import migrate
from sinks.sink import Sink
from sinks.tables import Table, tables_of
from sinks.transaction import Portion, Written, write
from tests.services import Services
from tests.sinks.records import TOPIC_OF, TOPICS
from tests.sinks.worker import Worker

PARTITIONS = 4


@dataclass(frozen=True)
class Outcome(Written):
    """What became of a portion, and how many rows of its table were written."""

    rows: int = 0


class TableSink:
    """Writes events of one topic, each portion in a transaction of its own."""

    def __init__(self, database: Database, table: Table, partitions: int = PARTITIONS) -> None:
        self.table = table
        self._database = database
        self._sink = Sink(table, partitions)

    async def write(self, records: Sequence[ConsumerRecord]) -> Outcome:
        """Write contiguous records of one partition."""
        stored = await write(self._database, [Portion(self._sink, records)], "en")
        return Outcome(**vars(stored.written[0]), rows=stored.rows.get(self.table.name, 0))


class Plant:
    """A database, as its sinks and its readers see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self.cursors = Cursors(self.database)
        self._others: list[Database] = []

    def another_connection(self) -> Database:
        """The connection of a second worker."""
        self._others.append(Database(self.url))
        return self._others[-1]

    async def sink(
        self, event: type[Event], database: Database | None = None, table: Table | None = None
    ) -> "TableSink":
        """The sink of an event's topic, with a cursor for its partition 0."""
        topic = TOPIC_OF[event]
        await self.cursors.positions([TP(topic, 0)])
        return TableSink(database or self.database, table or tables_of(TOPICS)[topic])

    def rows(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """The rows that a query returns, on a connection of its own."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query, values or None).fetchall()

    def run(self, query: str, values: Sequence[Any] = ()) -> None:
        """Change something as a person would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query, values or None)

    def cursor(self, topic: str) -> int:
        """The cursor of a topic's partition 0."""
        return self.rows('SELECT "nextOffset" AS at FROM "SinkCursor" WHERE topic = %s', [topic])[0]["at"]

    async def somebody_waits(self) -> bool:
        """Whether a statement in this database is waiting for a lock."""
        return bool(
            self.rows(
                """SELECT 1 FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND datname = current_database()"""
            )
        )

    async def close(self) -> None:
        for database in (self.database, *self._others):
            await database.close()


def make_plant(url: str) -> Plant:
    """Bring a database up to date, with its first rules."""
    migrate(url)
    return first_rules(url)


def first_rules(url: str) -> Plant:
    """Put the first rules into a database that has the schema."""
    plant = Plant(url)
    plant.run("""INSERT INTO "Generation" (generation, plant, live) VALUES (1, '', true)""")
    return plant


@pytest.fixture
async def plant(services: Services) -> AsyncIterator[Plant]:
    made = first_rules(services.migrated_database())
    yield made
    await made.close()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[[Settings], Worker]]:
    """Starts workers, and ends them after the test."""
    started: list[Worker] = []

    def start(settings: Settings) -> Worker:
        started.append(Worker(settings, tmp_path).start())
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
