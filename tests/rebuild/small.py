"""A rebuild of a small log, as plain as can be: what a take-over is given."""

from collections import defaultdict

import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faust.types import TP
from psycopg import sql

from plant.rules import Rules, read_plant
from rebuild.new_generation import NewGeneration
from rebuild.swap import MOVED
from rules.partition import Lines
from runtime.batches import Batch
from runtime.log_end import Logs
from runtime.settings import Settings
from schemas.events import Event
from schemas.state import LineState
from sinks.decode import encode
from sinks.sums import sum_all
from sinks.tables import tables_of
from streams.agent import fold_batch


async def rebuild(settings: Settings, plant: str = "", generation: int = 2) -> NewGeneration:
    """Read the raw log up to where it ends now, and fill the shadow tables."""
    rebuilt, events = await fold_log(settings, plant, generation)
    _fill(settings, rebuilt.schema, events)
    return rebuilt


async def fold_log(settings: Settings, plant: str, generation: int) -> tuple[NewGeneration, list[Event]]:
    """The new generation without its tables; and the events with their rows' last forms."""
    rules = Rules(generation, read_plant(plant))
    ends = await Logs(settings.kafka_bootstrap_servers).ends(
        [TP(settings.topics.raw, number) for number in range(settings.partitions)]
    )
    states: dict[int, dict[str, LineState]] = {}
    events: list[Event] = []
    for tp, records in (await _read(settings, {TP(*where): end for where, end in ends.items()})).items():
        lines = Lines(rules, tp.topic, tp.partition)
        if records:
            events += fold_batch(lines, Batch(tp, records, 0))
        states[tp.partition] = lines.states
    by_number = {tp.partition: end for tp, end in ends.items()}
    return NewGeneration(generation, plant, by_number, states, f"generation_{generation}"), events


async def _read(settings: Settings, ends: dict[TP, int]) -> dict[TP, list[ConsumerRecord]]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign(list(ends))
        found: dict[TP, list[ConsumerRecord]] = {tp: [] for tp in ends}
        while any(end and (not found[tp] or found[tp][-1].offset < end - 1) for tp, end in ends.items()):
            for where, records in (await consumer.getmany(timeout_ms=200)).items():
                tp = TP(*where)
                found[tp] += [record for record in records if record.offset < ends[tp]]
        return found
    finally:
        await consumer.stop()


def _fill(settings: Settings, schema: str, events: list[Event]) -> None:
    by_type: defaultdict[type[Event], list[Event]] = defaultdict(list)
    for event in events:
        by_type[type(event)].append(event)
    with psycopg.connect(settings.database_url) as connection:
        name = sql.Identifier(schema)
        connection.execute("SET client_min_messages = warning")
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        for live in MOVED:
            shadow_table(connection, schema, live)
        connection.execute(sql.SQL("SET search_path = {}").format(name))
        for table in tables_of(settings.topics).values():
            if by_type[table.event]:
                connection.execute(table.write_statement, [encode(by_type[table.event])])
        sum_all(connection)


def shadow_table(connection: psycopg.Connection, schema: str, table: str) -> None:
    """A table like the live one, with its keys and indexes under the same names."""
    where = {"new": sql.Identifier(schema, table), "live": sql.Identifier(table)}
    connection.execute(sql.SQL("CREATE TABLE {new} (LIKE {live} INCLUDING ALL)").format(**where))
    connection.execute(f"""DO $$ DECLARE said text; BEGIN FOR said IN
        SELECT format('ALTER INDEX {schema}.%I RENAME TO %I', s.relname, l.relname)
        FROM pg_index li JOIN pg_class l ON l.oid = li.indexrelid, pg_index si
        JOIN pg_class s ON s.oid = si.indexrelid
        WHERE li.indrelid = '"{table}"'::regclass AND si.indrelid = '{schema}."{table}"'::regclass
          AND li.indkey = si.indkey AND li.indisunique = si.indisunique AND l.relname <> s.relname
        LOOP EXECUTE said; END LOOP; END $$""")
