"""Whatever payloads hold, PostgreSQL takes their rows, and has the same ones live and rebuilt.

The long form:

    LINEPULSE_NIGHTLY=1 .venv/bin/python -m pytest -n 0 tests/rebuild/test_every_payload.py
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from faust.types import TP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebuild import shadow
from rebuild.checkpoint import Checkpoint, read_refused
from rebuild.latest import LatestUpdates, formed_row
from rebuild.work import UNCHANGING
from rebuild.writer import Writer
from rules.partition import Lines
from runtime.batches import Batch
from schemas.events import Event, OpenRowsEvent
from schemas.raw import RawRecord
from sinks.tables import TABLE_OF, TABLES, Table
from streams import agent
from tests.rules.payloads import NIGHTLY, START, log_of, steps
from tests.rules.test_every_payload import RULES, failed
from tests.rules.test_fold import consumer_record
from tests.services import Services
from tests.sinks.conftest import Plant, make_plant
from tests.sinks.records import TOPIC_OF, log

TOPIC, SCHEMA, BATCH = "production.raw", "generation_2", 40
together = st.lists(steps, min_size=15, max_size=15).map(
    lambda parts: log_of(START, [step for part in parts for step in part])
)


def test_the_rows_of_any_payload_are_the_same_live_and_rebuilt(services: Services):
    """By the sinks, from JSON, batch by batch; by the rebuild's COPY: each column of each row."""
    url = services.database()
    make_plant(url)
    seen: set[str] = set()

    @settings(
        max_examples=500 if NIGHTLY else 6,
        derandomize=not NIGHTLY,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(together)
    def same(records: list[RawRecord]) -> None:
        seen.update(asyncio.run(compared(url, records)))

    same()
    assert seen == {table.name for table in TABLES}


async def compared(url: str, records: list[RawRecord]) -> list[str]:
    """Compare every table's rows; the names of those that have any."""
    plant, named = Plant(url), list[str]()
    try:
        empty(plant)
        await live(plant, records)
        await rebuild(plant, records)
        for table in TABLES:
            found = rows(plant, "public", table)
            assert found == rows(plant, SCHEMA, table)
            named += [table.name] if found else []
    finally:
        await plant.close()
    return named


def empty(plant: Plant) -> None:
    """No rows, no cursors, and the tables of a rebuild."""
    names = ", ".join(f'"{table.name}"' for table in TABLES)
    plant.run(f'TRUNCATE {names}, "KPISum", "SinkCursor"')
    with psycopg.connect(plant.url) as connection:
        shadow.create(connection, SCHEMA)


async def live(plant: Plant, records: Sequence[RawRecord]) -> None:
    """Write the rows as stream stage and sinks do; PostgreSQL refuses none."""
    lines = Lines(RULES, TOPIC, 0, failed=failed)
    sent: dict[type[Event], int] = defaultdict(int)
    for first in range(0, len(records), BATCH):
        batch = [consumer_record(each) for each in records[first : first + BATCH]]
        sorted_out = defaultdict(list)
        for event in agent.fold_batch(lines, Batch(TP(TOPIC, 0), batch, 0)):
            if not isinstance(event, OpenRowsEvent):
                sorted_out[type(event)].append(event)
        for kind, events in sorted_out.items():
            topic = TOPIC_OF[kind]
            sink = await plant.sink(kind)
            done = await sink.write(log(*events, at=sent[kind], topic=topic))
            sent[kind] += len(events)
            assert (done.cursor, done.letters) == (sent[kind], [])


async def rebuild(plant: Plant, records: Sequence[RawRecord]) -> None:
    """Write the rows as `linepulse rebuild` does; PostgreSQL refuses none."""
    lines, latest = Lines(RULES, TOPIC, 0, failed=failed), LatestUpdates(None)
    rows: defaultdict[Table, list[str]] = defaultdict(list)
    async with Writer(plant.url, SCHEMA) as writer:
        await writer.acquire(0)
        for each in map(consumer_record, records):
            for change in agent.changes(lines, each):
                if change.kind in UNCHANGING:
                    event, line = formed_row(lines, change, each)
                    rows[TABLE_OF[type(event)]].append(line)
                else:
                    latest.put(change, each)
        await writer.put(rows)
        await writer.commit(latest.take(lines), Checkpoint.of(lines, 0, 0, None, 0))
        await writer.release(0)
    with psycopg.connect(plant.url) as connection:
        assert read_refused(connection, SCHEMA) == 0


def rows(plant: Plant, schema: str, table: Table) -> list[Any]:
    """All columns, as text: `-0` is not `0`."""
    found = plant.rows(f'SELECT t::text AS row FROM "{schema}"."{table.name}" t ORDER BY t."id"')
    return [row["row"] for row in found]
