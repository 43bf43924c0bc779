"""The swap alone, on a real PostgreSQL: whole for every reader, like the live tables in all but the rows."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from dashboard.store import Store
from rebuild.new_generation import NewGeneration
from rebuild.other_generations import drop_tables, other_generations
from rebuild.swap import MOVED, swap
from runtime.errors import UserError
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.events import OrderEvent, SampleEvent
from sinks.database import APPLICATION as SINKS
from sinks.schema import migrate
from sinks.sums import sum_all
from sinks.tables import ALL_TABLES
from sinks.views import OF_PERIOD
from tests.eventually import eventually
from tests.rebuild.small import shadow_table
from tests.services import Services
from tests.sinks.conftest import Plant, first_rules
from tests.sinks.records import log, order, sample
from tests.sinks.test_schema import described
from tests.sinks.windows import WRITE, at, minute
from tests.sinks.windows import Rows as Windows

REBUILT = NewGeneration(2, "[line]\ntarget_rate = 100\n", {0: 0}, {0: {}}, "generation_2")
SUMS = """SELECT (SELECT sum("bottlesProduced") FROM "ProductionData"),
    (SELECT sum(produced) FROM "ProductionOrder")"""
PRODUCED = 'SELECT sum(produced) FROM "ProductionOrder"'
OLD, NEW = (1, 10), (2, 20)  # what SUMS says


@pytest.fixture
async def plant(services: Services) -> AsyncIterator[Plant]:
    """Live tables with a row each, and shadow tables beside them."""
    made = first_rules(services.migrated_database())
    made.run(_rows(1, 1, 10))
    with psycopg.connect(made.url) as connection:
        connection.execute("CREATE SCHEMA generation_2")
        for table in MOVED:
            shadow_table(connection, "generation_2", table)
        connection.execute("SET search_path = generation_2")
        connection.execute(_rows(2, 2, 20))
    yield made
    await made.close()


@pytest.fixture
def settings(plant: Plant) -> Settings:
    return Settings(_env_file=None, database_url=plant.url, topic_prefix="plant")


def _rows(generation: int, count: int, produced: int) -> str:
    return f"""
        INSERT INTO "ProductionData" (id, "lineId", line, timestamp, "bottlesProduced", "defectCount",
            "isRunning", "receivedAt")
        VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', now(), {count}, 0, true, now());
        INSERT INTO "ProductionOrder" (id, "lineId", line, "orderNumber", "productType", quantity, produced,
            defects, status, priority, "createdAt", "updatedAt", generation, "versionTime", "versionOffset")
        VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', 'A', 'B', 100, {produced}, 0, 'running', 'low', now(),
            now(), {generation}, 1, 1)"""


def sums(plant: Plant) -> tuple[int, int]:
    """What a reader sees now."""
    row = plant.rows(SUMS.replace("),", ") AS a,", 1) + " AS b")[0]
    return row["a"], row["b"]


def test_no_table_is_forgotten() -> None:
    """Every table but those of cursors, of stage progress and of generations."""
    assert {*MOVED, "SinkCursor", "StageProgress", "Generation"} == set(ALL_TABLES)


async def test_the_tables_change_places(plant: Plant, settings: Settings) -> None:
    """The new rows are live, the old ones are kept; the generation is raised."""
    assert (await swap(settings, REBUILT)).old == 1
    assert sums(plant) == NEW
    assert plant.rows('SELECT produced FROM generation_1."ProductionOrder"') == [{"produced": 10}]
    assert plant.rows('SELECT generation, plant FROM "Generation" WHERE live') == [
        {"generation": 2, "plant": REBUILT.plant_text}
    ]
    found = other_generations(plant.url)
    assert (found.live, list(found.older), found.newer, found.under_way) == (2, [1], {}, False)


async def test_the_schema_is_the_same_afterwards(
    plant: Plant, settings: Settings, services: Services
) -> None:
    """Columns, keys and indexes by name: a later migration finds what it expects."""
    fresh = services.database()
    migrate(fresh)
    await swap(settings, REBUILT)
    drop_tables(plant.url)
    for what in ("columns", "indexes"):
        assert described(plant.url)[what] == described(fresh)[what]


@pytest.fixture
def reader(plant: Plant) -> Iterator[str]:
    """A role that may read."""
    name = f"reader_{plant.url[-6:]}"
    plant.run(f"CREATE ROLE {name}")
    yield name
    plant.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}")


async def test_who_may_read_and_whose_it_is_carry_over(plant: Plant, settings: Settings, reader: str) -> None:
    """Owner, grants on tables and columns, comments."""
    plant.run(f"""
        GRANT SELECT ON "Alert" TO {reader};
        GRANT SELECT (id, line) ON "Downtime" TO {reader} WITH GRANT OPTION;
        GRANT SELECT, UPDATE ON "KPISnapshot" TO PUBLIC;
        COMMENT ON TABLE "Alert" IS 'it''s ours';
        COMMENT ON COLUMN "Alert".message IS 'what {{people}} read: 100 %';
        GRANT INSERT ON generation_2."ProductionData" TO {reader};
        ALTER TABLE "ProductionOrder" OWNER TO {reader}""")
    query = """SELECT relname, relowner, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(
            relacl, acldefault('r', relowner))) AS a) AS acl, obj_description(oid, 'pg_class') AS said,
            (SELECT array_agg(col_description(oid, attnum) || attname || coalesce(attacl::text, '')
                ORDER BY attnum) FROM pg_attribute WHERE attrelid = oid) AS columns
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) ORDER BY 1"""
    before = plant.rows(query, [list(MOVED)])
    await swap(settings, REBUILT)
    assert plant.rows(query, [list(MOVED)]) == before


async def test_views_follow(plant: Plant, settings: Settings, reader: str) -> None:
    """Ours and the plant's own, in any schema, views of views, functions: the same, with the new rows."""
    plant.run(f"""
        CREATE SCHEMA reports;
        CREATE VIEW "Made" WITH (security_barrier = true) AS
            SELECT line, sum(produced) AS made FROM "ProductionOrder" WHERE line LIKE '%%1' GROUP BY line;
        CREATE VIEW reports."Twice as much" AS SELECT 2 * made AS made FROM "Made";
        CREATE VIEW reports.both AS SELECT o.produced, d."bottlesProduced"
            FROM "ProductionOrder" o JOIN public."ProductionData" d USING ("lineId");
        GRANT SELECT ON reports.both TO {reader};
        CREATE FUNCTION reports.made_of(of_line text) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC
            SELECT sum(produced)::bigint FROM "ProductionOrder" WHERE "lineId" = of_line; END;
        CREATE MATERIALIZED VIEW reports.frozen AS SELECT produced FROM "ProductionOrder" """)
    done = await swap(settings, REBUILT)
    assert plant.rows('SELECT made::integer FROM "Made"') == [{"made": 20}]
    assert plant.rows('SELECT made::integer FROM reports."Twice as much"') == [{"made": 40}]
    assert plant.rows("SELECT reports.made_of('ligne1') AS made") == [{"made": 20}]
    assert plant.rows("SELECT * FROM reports.both") == [{"produced": 20, "bottlesProduced": 2}]
    options = plant.rows("""SELECT reloptions FROM pg_class WHERE relname = 'Made'""")
    assert options == [{"reloptions": ["security_barrier=true"]}]
    assert plant.rows(f"SELECT has_table_privilege('{reader}', 'reports.both', 'SELECT') AS may") == [
        {"may": True}
    ]
    assert done.left_behind == ("reports.frozen",)


async def test_figures_of_a_period_follow(plant: Plant, settings: Settings) -> None:
    """Our own functions read the new sums, and nothing of the old tables is needed any more."""
    with psycopg.connect(plant.url) as connection:
        connection.execute("SET search_path = generation_2")
        connection.execute(WRITE, [json.dumps([minute(at("2026-03-02 10:00"), made=7)])])
        sum_all(connection)
    await swap(settings, REBUILT)
    drop_tables(plant.url)
    for function in OF_PERIOD.values():
        query = f"SELECT pieces FROM {function}('2026-03-02 10:00+01', '2026-03-02 11:00+01')"
        assert plant.rows(query) == [{"pieces": 7}], function


async def test_a_reader_sees_one_or_the_other(plant: Plant, settings: Settings) -> None:
    """Statement after statement in one transaction, and single statements, all through the swap."""
    seen: set[tuple[int, int]] = set()
    over = asyncio.Event()

    async def read(isolation: psycopg.IsolationLevel) -> None:
        async with await psycopg.AsyncConnection.connect(plant.url) as connection:
            await connection.set_isolation_level(isolation)
            while not over.is_set() or NEW not in seen:
                first = await (
                    await connection.execute('SELECT sum(produced) FROM "ProductionOrder"')
                ).fetchone()
                both = await (await connection.execute(SUMS)).fetchone()
                assert first is not None
                assert both is not None
                assert both[1] == first[0]
                seen.add((int(both[0]), int(both[1])))
                await connection.commit()

    readers = [
        asyncio.create_task(read(isolation))
        for isolation in (psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.READ_COMMITTED)
    ]
    await eventually(lambda: _true(OLD in seen), "a reader")
    await swap(settings, REBUILT)
    over.set()
    await asyncio.gather(*readers)
    assert seen == {OLD, NEW}


async def _true(value: bool) -> bool:
    return value


async def test_a_reading_of_the_page_is_of_one_generation(plant: Plant, settings: Settings) -> None:
    """Several statements: the swap comes before the first of them, or after the last."""
    heard: list[str] = []
    store = Store(plant.url)
    now = datetime.now(UTC)
    Windows(plant.url).add(minute(now))
    try:
        async with store.reading():
            assert [tile.line_id for tile in (await store.overview(now)).tiles] == ["ligne1"]
            swapping = asyncio.create_task(swap(settings, REBUILT, heard.append))
            await eventually(lambda: _true(bool(heard)), "the wait")
            assert [order.produced for order in (await store.detail("ligne1", now)).orders] == [OLD[1]]
            assert not swapping.done()
        await swapping
        async with store.reading():
            assert [order.produced for order in (await store.detail("ligne1", now)).orders] == [NEW[1]]
    finally:
        await store.close()


async def test_a_long_reader_is_waited_for_and_nobody_stands_still_behind_it(
    plant: Plant, settings: Settings
) -> None:
    """The session that holds a table is named; others keep reading and writing; then the swap takes place."""
    heard: list[str] = []
    async with await psycopg.AsyncConnection.connect(plant.url, application_name="pg_dump") as long:
        await long.execute('SELECT 1 FROM "Alert"')
        swapping = asyncio.create_task(swap(settings, REBUILT, heard.append))
        await eventually(lambda: _true(bool(heard)), "the wait")
        assert "pg_dump (pid" in heard[0]
        for _ in range(5):
            async with asyncio.timeout(2):
                assert await asyncio.to_thread(sums, plant) == OLD
                await asyncio.to_thread(plant.run, """UPDATE "Alert" SET line = line""")
        assert not swapping.done()
        await long.rollback()
        assert (await swapping).old == 1
    assert sums(plant) == NEW


async def test_one_who_never_lets_go_is_named(plant: Plant, settings: Settings) -> None:
    """After a while the swap gives up; nothing is changed."""
    async with await psycopg.AsyncConnection.connect(plant.url, application_name="forgotten") as long:
        await long.execute('SELECT 1 FROM "KPISnapshot"')
        with pytest.raises(UserError, match=r"forgotten \(pid .* the live generation is unchanged"):
            await swap(settings, REBUILT, patience_s=0.5)
    assert sums(plant) == OLD


async def test_a_sinks_transaction_is_waited_for(plant: Plant, settings: Settings) -> None:
    """It writes to the old tables, and the next transaction to the new ones: never to both."""
    first, second = await plant.sink(SampleEvent), await plant.sink(OrderEvent, plant.another_connection())
    async with plant.database.transaction() as connection:
        await connection.execute("""UPDATE "SinkCursor" SET "nextOffset" = "nextOffset" """)
        swapping = asyncio.create_task(swap(settings, REBUILT))
        await eventually(plant.somebody_waits, "the swap's wait")
        await connection.execute("""UPDATE "ProductionData" SET "bottlesProduced" = 7""")
        await connection.commit()
    await swapping
    assert plant.rows('SELECT "bottlesProduced" AS n FROM generation_1."ProductionData"') == [{"n": 7}]
    written = await first.write(log(sample(0)))
    assert (written.cursor, written.rows) == (1, 0)  # of the old generation: ignored
    assert (await second.write(log(order(0, 1, generation=2)))).rows == 1
    assert plant.rows('SELECT count(*) AS n FROM "ProductionOrder"') == [{"n": 2}]


async def test_a_sink_that_froze_in_the_middle_of_a_copy_is_ended(
    plant: Plant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else would end its session: its transaction is rolled back, and another sink repeats it."""
    monkeypatch.setattr("rebuild.swap.FROZEN_S", 0.5)
    frozen = await psycopg.AsyncConnection.connect(plant.url, application_name=SINKS)

    async def copy_and_freeze() -> None:
        await frozen.execute("""UPDATE "SinkCursor" SET "nextOffset" = 0""")
        async with frozen.cursor().copy('COPY "ProductionData" (id) FROM STDIN') as copy:
            await copy.write("half a r")
            assert (await swap(settings, REBUILT)).old == 1

    with pytest.raises(psycopg.OperationalError):
        await copy_and_freeze()
    await frozen.close()
    assert sums(plant) == NEW


async def test_what_no_log_holds_is_carried_over(plant: Plant, settings: Settings) -> None:
    """Dead letters that the sinks or a loss made, acknowledgements: up to the last moment."""
    plant.run("""
        INSERT INTO "DeadLetter" (id, "lineId", line, topic, partition, "offset", payload, reason, detail,
            "receivedAt")
        SELECT gen_random_uuid(), '', '', topic, 0, 1, '', reason, '', now()
        FROM (VALUES ('plant.samples', 'refused'), ('plant.raw', 'expired'),
            ('plant.raw', 'not_json')) AS letter (topic, reason);
        INSERT INTO "Alert" (id, "lineId", line, type, severity, message, status, "startedAt", "createdAt",
            "updatedAt", generation, "versionTime", "versionOffset")
        VALUES (gen_random_uuid(), 'l', 'L', 'LOW_RATE', 'info', '', 'open', now(), now(), now(), 1, 1, 1);
        INSERT INTO generation_2."Alert" SELECT * FROM "Alert";
        UPDATE "Alert" SET "acknowledgedAt" = now(), "acknowledgedBy" = 'Ada'""")
    await swap(settings, REBUILT)
    letters = plant.rows('SELECT reason FROM "DeadLetter" ORDER BY 1')
    assert [letter["reason"] for letter in letters] == ["expired", "refused"]  # not_json comes from the log
    assert plant.rows('SELECT "acknowledgedBy" AS who FROM "Alert"') == [{"who": "Ada"}]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('ALTER TABLE generation_2."Alert" DROP COLUMN reason', "only the live one has column reason"),
        ('ALTER TABLE generation_2."Alert" ADD COLUMN x integer', "the live one lacks column x"),
        ('DROP INDEX generation_2."Alert_status"', "only the live one has CREATE INDEX"),
        ('DROP TABLE generation_2."Alert"', "Alert"),
        ("CREATE SCHEMA generation_1", "schema generation_1 exists already"),
        ('CREATE VIEW whole AS SELECT a FROM "Alert" a', "whole can't follow"),
        (
            """CREATE FUNCTION all_of() RETURNS SETOF "Alert" LANGUAGE sql STABLE BEGIN ATOMIC
                SELECT * FROM "Alert"; END""",
            r"all_of\(\) can't follow",
        ),
        ("""UPDATE "Generation" SET generation = 2""", "not the next one of 2"),
    ],
)
async def test_tables_that_can_not_go_live_are_refused(
    plant: Plant, settings: Settings, change: str, sentence: str
) -> None:
    """Made before the schema changed, or for another moment: the sentence says so, the live ones stay."""
    plant.run(change)
    with pytest.raises(UserError, match=sentence):
        await swap(settings, REBUILT)
    assert sums(plant) == OLD


async def test_a_server_that_goes_away_leaves_one_of_the_two(plant: Plant, settings: Settings) -> None:
    """The session ended in the middle: nothing has changed."""

    def end_session(_step: str) -> None:
        plant.run("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'linepulse-rebuild' AND datname = current_database()""")

    with pytest.raises(Unavailable):
        await swap(settings, REBUILT, step=end_session)
    assert sums(plant) == OLD


async def test_dropping_the_old_one(plant: Plant, settings: Settings) -> None:
    """Older generations are dropped, the live and a newer one stay; a view of others on them is named."""
    await swap(settings, REBUILT)
    plant.run('CREATE SCHEMA generation_3; CREATE VIEW mine AS SELECT id FROM generation_1."Alert"')
    with pytest.raises(UserError, match="mine"):
        drop_tables(plant.url)
    assert list(other_generations(plant.url).older) == [1]
    plant.run("DROP VIEW mine")
    assert drop_tables(plant.url) == [1]
    assert drop_tables(plant.url) == []
    found = other_generations(plant.url)
    assert (found.older, list(found.newer)) == ({}, [3])
    assert sums(plant) == NEW
