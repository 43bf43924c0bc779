"""The page's queries, against rows as the pipeline writes them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from benchmarks.overview import fill_names, sum_up
from dashboard.models import PageRules, State, Tile
from dashboard.moment import Moment
from dashboard.ratios import ratios
from dashboard.store import CURVE_STEP, Store, natural
from dashboard.timestamps import EARLIEST, LATEST
from runtime.sql import statement
from schemas.instant import HOUR, MINUTE, SECOND, ms_of
from sinks.sums import summed
from tests.dashboard.rows import Plant
from tests.services import Services

pytestmark = [pytest.mark.quick, pytest.mark.both]

NOON = datetime(2025, 1, 17, 12, 0, tzinfo=UTC)  # 13:00 in Paris, MATIN
T = ms_of(NOON)


@pytest.fixture
def plant(services: Services) -> Plant:
    return Plant(services.migrated_database())


@pytest.fixture
async def store(plant: Plant) -> AsyncIterator[Store]:
    store = Store(plant.url)
    yield store
    await store.close()


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def state(tile: Tile, now: datetime) -> State:
    return Moment(now, PageRules()).state(tile)


async def test_an_empty_database_has_no_tiles(store: Store):
    """Tables without rows are a plant without lines."""
    assert (await store.overview(NOON)).tiles == ()


async def test_a_running_line(plant: Plant, store: Store):
    """One message gives a tile: state, rate, target, the order that it started."""
    plant.data("ligne1", T, count=5213, rate=113.5)
    [tile] = (await store.overview(NOON)).tiles
    assert (tile.line_id, tile.name, state(tile, NOON)) == ("ligne1", "Ligne 1", State.RUNNING)
    assert tile.sample is not None
    assert (tile.sample.at, tile.sample.rate, tile.sample.target_rate) == (NOON, 113.5, 120)
    assert tile.order is not None
    assert (tile.order.produced, tile.order.quantity, tile.order.percent) == (5213, 10_000, 52)


async def test_a_stopped_line_and_one_without_signal(plant: Plant, store: Store):
    """The open stop tells the state, since when and why; alerts are counted."""
    for line_id in ("ligne1", "ligne2", "ligne3"):
        plant.data(line_id, T)
    plant.status("ligne2", T + 10 * SECOND, running=False, reason="Bourrage")
    plant.status("ligne3", T + 10 * SECOND, status="offline")
    now = NOON + timedelta(seconds=20)
    first, second, third = (await store.overview(now)).tiles
    assert (state(first, now), first.open_alerts) == (State.RUNNING, 0)
    assert (state(second, now), second.open_alerts, second.worst) == (State.STOPPED, 1, "critical")
    assert second.stop is not None
    assert (second.stop.start, second.stop.reason) == (at(T + 10 * SECOND), "Bourrage")
    assert state(third, now) is State.NO_SIGNAL


async def test_a_stop_that_ended_is_no_state(plant: Plant, store: Store):
    """Running again, the tile forgets the stop; the timeline and the lists keep it."""
    plant.data("ligne1", T)
    plant.status("ligne1", T + 10 * SECOND, running=False)
    plant.status("ligne1", T + 40 * SECOND, running=True)
    now = NOON + timedelta(minutes=1)
    overview = await store.overview(now)
    assert state(overview.tiles[0], now) is State.RUNNING
    [stop] = overview.timelines["ligne1"]
    assert (stop.duration_s, stop.end) == (30, at(T + 40 * SECOND))
    assert overview.stops == (stop,)
    assert [alert.status for alert in overview.alerts] == ["resolved"]


async def test_an_open_alert_is_never_pushed_out_of_the_list(plant: Plant, store: Store):
    """However many alerts came and went since, what is open stands first."""
    for second in range(0, 20, 5):
        plant.data("ligne1", T + second * SECOND, temperature=35)
    for stop in range(1, 12):
        plant.status("ligne1", T + stop * MINUTE, running=False)
        plant.status("ligne1", T + stop * MINUTE + 10 * SECOND, running=True)
    overview = await store.overview(NOON + timedelta(minutes=15))
    assert overview.tiles[0].open_alerts == 1
    assert [(alert.type, alert.status) for alert in overview.alerts][:2] == [
        ("HIGH_TEMPERATURE", "open"),
        ("MACHINE_STOP", "resolved"),
    ]


async def test_a_line_that_only_has_orders_waits(plant: Plant, store: Store):
    """A planned order is enough for a tile; there is no state yet."""
    plant.order("ligne7", T, orderNumber="A", productType="Eau", quantity=100)
    [tile] = (await store.overview(NOON)).tiles
    assert (tile.name, state(tile, NOON), tile.order) == ("Ligne 7", State.WAITING, None)
    [order] = (await store.detail("ligne7", NOON)).orders
    assert (order.number, order.status) == ("A", "waiting")


async def test_the_trs_of_the_shift_is_of_this_shift_only(plant: Plant, store: Store):
    """What happened before 14 h in Paris does not count after it."""
    #      13:50  stopped  14:00  runs  14:10
    change = T + HOUR
    plant.data("ligne1", change - 10 * MINUTE, running=False, count=0, rate=0)
    for minute in range(11):
        plant.data("ligne1", change + minute * MINUTE + 1, count=100, defects=2, rate=108)
        for tick in range(0, 60, 5):
            plant.tick("ligne1", change + minute * MINUTE + tick * SECOND + 2)
            plant.data("ligne1", change + minute * MINUTE + tick * SECOND + 3, count=0, rate=108)
    [tile] = (await store.overview(at(change + 11 * MINUTE))).tiles
    assert tile.shift is not None
    assert tile.shift.name == "APRES_MIDI"
    shown = ratios(tile.shift.sums)
    assert shown.availability == pytest.approx(100, abs=0.1)
    assert shown.performance == pytest.approx(90, abs=0.1)
    assert shown.quality == pytest.approx(98, abs=0.1)
    assert shown.trs == pytest.approx(88.2, abs=0.2)


async def test_a_whole_past(plant: Plant, store: Store):
    """Eight hours of three lines: every part of the page has its rows, in the right order."""
    plant.simulate(3, T, hours=4)
    overview = await store.overview(NOON)
    assert [tile.name for tile in overview.tiles] == ["Ligne 1", "Ligne 2", "Ligne 3"]
    assert len(overview.stops) == len(overview.alerts) == 8
    detail = await store.detail("ligne2", NOON)
    starts = [point.start for point in detail.curve]
    assert starts == sorted(starts)
    assert len(starts) == 4 * 6 + 1 or len(starts) == 4 * 6
    assert all(start.minute % (CURVE_STEP.seconds // 60) == 0 for start in starts)
    assert [stop.start for stop in detail.stops] == sorted((s.start for s in detail.stops), reverse=True)
    assert [order.status for order in detail.orders][:2] == ["running", "completed"]
    produced = sum(order.produced for order in detail.orders)
    assert produced == sum(point.sums.pieces for point in detail.curve)


async def test_orders_in_the_order_in_which_they_will_start(plant: Plant, store: Store):
    """The running one, then what waits by priority and age, then what is done, latest first."""
    plant.data("ligne1", T - HOUR, count=10_000)
    plant.data("ligne1", T)
    plant.order("ligne1", T + SECOND, orderNumber="low", productType="x", quantity=5, priority="low")
    plant.order(
        "ligne1", T + 2 * SECOND, orderNumber="urgent", productType="x", quantity=5, priority="urgent"
    )
    plant.order("ligne1", T + 3 * SECOND, orderNumber="low2", productType="x", quantity=5, priority="low")
    orders = (await store.detail("ligne1", NOON)).orders
    assert [order.status for order in orders] == ["running", "waiting", "waiting", "waiting", "completed"]
    assert [order.number for order in orders[1:4]] == ["urgent", "low", "low2"]


async def test_times_that_python_does_not_have(plant: Plant, store: Store):
    """The year 10000, infinity and the years before Christ are read as the ends of the calendar."""
    plant.data("ligne1", T)
    with psycopg.connect(plant.url) as connection:
        for written, read in {
            "10000-01-01 00:00:00+00": LATEST,
            "infinity": LATEST,
            "-infinity": EARLIEST,
            "0044-03-15 00:00:00+00 BC": EARLIEST,
            "9999-12-31 23:59:59+00": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        }.items():
            connection.execute('UPDATE "ProductionOrder" SET "estimatedEndTime" = %s', [written])
            connection.commit()
            [tile] = (await store.overview(NOON)).tiles
            assert tile.order is not None
            assert tile.order.estimated_end == read
            assert (await store.detail("ligne1", NOON)).orders == (tile.order,)


async def test_lines_that_nobody_hears_any_more_are_left_out(plant: Plant, store: Store):
    """A retired line is left out; a stopped one, and one with waiting orders but never heard, are shown."""
    for line_id in ("ligne1", "ligne2", "ligne3"):
        plant.data(line_id, T)
    plant.status("ligne2", T + SECOND, action="retire")
    plant.status("ligne3", T + SECOND, running=False)
    plant.order("ligne4", T, orderNumber="A", productType="Eau", quantity=100)
    plant.data("ligne1", T + HOUR)

    async def shown(gone: int) -> list[str]:
        return [tile.line_id for tile in (await store.overview(at(T + HOUR), at(gone))).tiles]

    assert await shown(T - SECOND) == ["ligne1", "ligne2", "ligne3", "ligne4"]
    assert await shown(T + MINUTE) == ["ligne1", "ligne3", "ligne4"]


async def test_a_line_that_stands_is_there_however_long_ago_it_stopped(plant: Plant, store: Store):
    """Its open stop is enough, whatever its windows say."""
    plant.data("ligne1", T)
    plant.status("ligne1", T + SECOND, running=False)
    later = NOON + timedelta(days=60)
    [tile] = (await store.overview(later, later - timedelta(days=2))).tiles
    assert state(tile, later) is State.STOPPED


async def test_names_that_are_gone_cost_nothing(plant: Plant, store: Store):
    """However many lines were heard ten days ago, no part of the overview reads their rows."""
    plant.data("ligne1", T)
    with psycopg.connect(plant.url, autocommit=True) as connection:
        fill_names(connection, NOON - timedelta(days=10), names=2000)
        sum_up(connection)
        [(plan,)] = connection.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + statement("page.overview"),
            overview_of(NOON - timedelta(days=2)),
        ).fetchall()
    assert max(rows_gone_over(plan[0]["Plan"])) < 100
    [tile] = (await store.overview(NOON, NOON - timedelta(days=2))).tiles
    assert tile.line_id == "ligne1"


async def test_names_that_have_just_come_are_not_looked_for_among_all_rows(plant: Plant, store: Store):
    """The statistics know few lines yet: still no step reads all recent rows once per line."""
    plant.simulate(2, T, hours=2)
    with psycopg.connect(plant.url, autocommit=True) as connection:
        connection.execute("ANALYZE")
        fill_names(connection, NOON - timedelta(hours=3), names=1000)
        connection.execute('TRUNCATE "KPISum"')
        connection.execute(sql.SQL('INSERT INTO "KPISum" {}').format(summed("KPISnapshot")))
        [(plan,)] = connection.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + statement("page.overview"),
            overview_of(NOON - timedelta(days=2)),
        ).fetchall()
    assert max(rows_gone_over(plan[0]["Plan"])) < 100_000
    assert (await store.overview(NOON, NOON - timedelta(days=2))).more > 0


def overview_of(gone: datetime) -> dict[str, Any]:
    """The parameters of the overview."""
    return {"since": NOON, "gone": gone, "reach": timedelta(days=7), "first": ["ligne1"], "most": 500}


def rows_gone_over(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each part of a plan found, or read in vain."""
    found: float = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    yield found * node["Actual Loops"]
    for part in node.get("Plans", ()):
        yield from rows_gone_over(part)


async def test_of_very_many_lines_those_of_the_plant_are_shown(
    services: Services, monkeypatch: pytest.MonkeyPatch
):
    """Lines that plant.toml names or visitors watch; then the oldest lines, then those that make most."""
    monkeypatch.setattr("dashboard.store.MOST_TILES", 2)
    plant = Plant(services.migrated_database(), "[lines.named]\n")
    store = Store(plant.url)
    await store.page_rules()
    plant.data("old", T - HOUR)
    for line_id, count in (("a", 1), ("b", 1), ("busy", 9), ("c", 1), ("named", 1)):
        plant.data(line_id, T, count=count)
    overview = await store.overview(NOON)
    assert [tile.line_id for tile in overview.tiles] == ["busy", "named", "old"]
    assert overview.more == 3
    overview = await store.overview(NOON, watched=["c"])
    assert [tile.line_id for tile in overview.tiles] == ["busy", "c", "named", "old"]
    monkeypatch.setattr("dashboard.store.MOST_TILES", 5)
    assert (await store.overview(NOON)).more == 0
    await store.close()


async def test_a_line_whose_clock_is_days_behind_is_there(plant: Plant, store: Store):
    """Its windows lie in the past, but it was heard recently."""
    plant.data("ligne1", T - 6 * 24 * HOUR, count=5)
    gone = NOON - timedelta(days=2)
    assert (await store.overview(NOON, gone)).tiles == ()
    with psycopg.connect(plant.url) as connection:
        connection.execute("""UPDATE "ProductionData" SET "receivedAt" = %s""", [NOON])
    [tile] = (await store.overview(NOON, gone)).tiles
    assert tile.line_id == "ligne1"


async def test_when_something_was_last_said_of_a_line(plant: Plant, store: Store):
    """Status messages count as news of a line, whatever it counts; ticks do not."""
    plant.data("ligne1", T)
    plant.status("ligne1", T + 25 * SECOND, running=True)
    plant.tick("ligne1", T + 28 * SECOND)
    [tile] = (await store.overview(at(T + 25 * SECOND))).tiles
    assert tile.sample is not None
    assert (tile.sample.received, tile.updated_at) == (NOON, at(T + 25 * SECOND))
    assert state(tile, at(T + 40 * SECOND)) is State.RUNNING
    assert state(tile, at(T + 56 * SECOND)) is State.NO_DATA


async def test_the_rules_in_force(services: Services):
    """Name and clock come from the rules that the rows were made with."""
    about = '[plant]\nname = "Evian"\ntime_zone = "America/Montreal"\n'
    plant = Plant(services.migrated_database(), about)
    store = Store(plant.url)
    rules = await store.page_rules()
    await store.close()
    assert (rules.plant, rules.time_zone) == ("Evian", "America/Montreal")


async def test_the_page_can_not_write(plant: Plant, store: Store):
    """The connection is read-only, whatever is asked of it."""
    await store.overview(NOON)
    assert store._connection is not None
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await store._connection.execute('DELETE FROM "ProductionData"')
    assert plant.url


async def test_the_overview_does_not_grow_with_the_past(plant: Plant):
    """Every part of the overview is a step into an index: no table is read from end to end."""
    plant.simulate(2, T, hours=2)
    async with await psycopg.AsyncConnection.connect(plant.url, autocommit=True) as connection:
        await connection.execute("ANALYZE")
        await connection.execute("SET enable_seqscan = off")

        cursor = await connection.execute("EXPLAIN " + statement("page.overview"), overview_of(NOON))
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert "Seq Scan on" not in plan.replace("Seq Scan on known", "")


def test_ligne2_comes_before_ligne10():
    """Lines are sorted by their numbers."""
    names = ["ligne10", "B", "ligne2", "ligne", "A-1.5"]
    assert sorted(names, key=natural) == ["A-1.5", "B", "ligne", "ligne2", "ligne10"]
