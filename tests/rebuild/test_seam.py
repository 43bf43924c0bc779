"""The seam, where the log begins later than the rows: nothing is counted twice, open rows are closed."""

import json
from collections.abc import Iterator

from rebuild.carry import carry_over, note_reach
from rebuild.ends import Extent
from rebuild.table_builder import TableBuilder
from schemas.instant import SECOND, text_of
from schemas.raw import Kind, RawHeaders
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import BEGIN, Written, story

SHADOW = "generation_2"
LONG_AGO = "2025-06-01T08:00:00.000Z"
LATER = "2025-06-01T09:00:00.000Z"
OPEN = f"""
    INSERT INTO "ProductionOrder" (id, "lineId", line, "orderNumber", "productType", quantity, produced,
        defects, status, priority, "createdAt", "updatedAt", generation, "versionTime", "versionOffset")
    VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', 'OF-0', 'Eau', 100, 5, 0, 'running', 'low',
        '{LONG_AGO}', '{LATER}', 1, 1, 1);
    INSERT INTO "Downtime" (id, "lineId", line, "startTime", category, "createdAt", "updatedAt", generation,
        "versionTime", "versionOffset")
    VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', '{LONG_AGO}', 'unplanned', '{LONG_AGO}', '{LATER}', 1, 1,
        1);
    INSERT INTO "Alert" (id, "lineId", line, type, severity, message, status, "startedAt", "createdAt",
        "updatedAt", generation, "versionTime", "versionOffset")
    VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', 'MACHINE_STOP', 'critical', '', 'open', '{LONG_AGO}',
        '{LONG_AGO}', '{LATER}', 1, 1, 1)"""
ENDS = """
    SELECT (SELECT "endTime" FROM {0}."ProductionOrder" WHERE "orderNumber" = 'OF-0' AND reason = 'log_lost'),
        (SELECT "endTime" FROM {0}."Downtime" WHERE reason = 'log_lost'),
        (SELECT "resolvedAt" FROM {0}."Alert" WHERE reason = 'log_lost')"""


def steady(stopped: range) -> Iterator[Written]:
    """A piece a second for three minutes, except while the line stands still."""
    headers = RawHeaders(Kind.DATA, "production/ligne1/data", 1, run=1).encode()
    for second in range(180):
        at, runs = BEGIN + second * SECOND, second not in stopped
        if second % 5 == 0:
            yield Written(None, b"", at, RawHeaders(Kind.TICK, run=1).encode())
        payload = {"count": int(runs), "running": runs, "targetRate": 60}
        yield Written("ligne1", json.dumps(payload).encode(), at, headers)


def made(plant: Replayed, keep: float = 1.0) -> None:
    """Fill the shadow tables from the last part of the log, and carry over rows of the live ones."""
    with TableBuilder(plant.settings, RULES) as rebuild:
        extents = rebuild.extents()
        cut = {number: Extent(int(at.end * (1 - keep)), at.end) for number, at in extents.items()}
        rebuild.apply(cut, lambda _: None)
        rebuild.finish()
        note_reach(rebuild.connection, rebuild.checkpoints(), plant.settings.partitions)
        carry_over(rebuild.connection, 2, plant.settings.topics.raw)
        rebuild.connection.commit()


def test_the_minute_of_the_seam_is_told_once(plant: Replayed) -> None:
    """#  10:00       10:01   seam   10:02       10:03
    #     ├──kept──────┼──kept─│──────┼───────────┤
    """
    plant.write(steady(stopped=range(0)))
    plant.live()
    made(plant, keep=0.5)
    sums = """SELECT sum(pieces), sum("runningSeconds" + "unknownSeconds") FROM {}."KPISnapshot" """
    assert plant.rows(sums.format(SHADOW)) == plant.rows(sums.format("public"))
    assert plant.rows(sums.format("public"))[0][0] == 180


def test_a_stop_over_the_seam_is_one(plant: Replayed) -> None:
    """#     ────────■■■■■■■│■■■■■■■────────
    #                     seam
    """
    plant.write(steady(stopped=range(50, 130)))
    plant.live()
    made(plant, keep=0.5)
    stops = 'SELECT "startTime", "endTime", duration FROM {}."Downtime"'
    assert plant.rows(stops.format(SHADOW)) == plant.rows(stops.format("public"))
    assert [row[2] for row in plant.rows(stops.format("public"))] == [80]


def test_what_is_open_ends_where_the_log_begins(plant: Replayed) -> None:
    """Not where it ends: a line does not stand still twice at once."""
    plant.write(steady(stopped=range(0)))
    plant.live()
    plant.run(OPEN)
    made(plant)
    (ends,) = plant.rows(ENDS.format(SHADOW))
    assert {text_of(int(end.timestamp() * 1000)) for end in ends} == {text_of(BEGIN)}


def test_where_the_log_holds_nothing_rows_stay_and_the_plant_goes_on(plant: Replayed) -> None:
    """Open rows end at the last time that is known, not in 1970."""
    plant.run(OPEN)
    printed = plant.rebuild()
    assert printed["messages"] == 0
    assert differing(printed) == {"ProductionOrder": 1, "Downtime": 1, "Alert": 1}
    (ends,) = plant.rows(ENDS.format("public"))
    assert {text_of(int(end.timestamp() * 1000)) for end in ends} == {LATER}
    assert plant.rows('SELECT duration FROM "Downtime"') == [(3600,)]
    plant.write(story(seconds=20, seed=51))
    plant.live(2)
    assert differing(plant.rebuild("--dry-run")) == {}


def test_what_is_kept_is_as_the_live_tables_have_it_now(plant: Replayed) -> None:
    """A rebuild that was interrupted after it had carried rows over does so again."""
    plant.write(steady(stopped=range(0)))
    plant.live()
    plant.run(OPEN)
    made(plant)
    plant.run("""UPDATE "ProductionOrder" SET status = 'completed', produced = 100, "endTime" = "updatedAt"
        WHERE "orderNumber" = 'OF-0'""")
    made(plant)
    kept = f"""SELECT status, produced, reason FROM {SHADOW}."ProductionOrder" WHERE "orderNumber" = 'OF-0'"""
    assert plant.rows(kept) == [("completed", 100, None)]
