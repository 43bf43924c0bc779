"""Rows of an earlier release, brought up to date."""

from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sinks.schema import migrate
from tests.services import Services

PLANT = """
[plant]
time_zone = "Asia/Kolkata"
[lines.ligne2]
performance_from = "pieces"
"""


def before(url: str, revision: str, *earlier: str) -> psycopg.Connection[dict[str, Any]]:
    """A database as the release with `revision` left it."""
    connection = psycopg.connect(url, row_factory=dict_row)
    for name in (*earlier, revision):
        connection.execute(import_module(f"sinks.migrations.versions.{name}").SQL)
    connection.execute("CREATE TABLE linepulse_schema (version_num varchar(32) PRIMARY KEY)")
    connection.execute("INSERT INTO linepulse_schema VALUES (%s)", [revision])
    connection.commit()
    return connection


def test_windows_of_an_earlier_release_get_their_day_and_hour(services: Services):
    """The civil day and hour are those of the plant's zone; pieces counted for performance all along."""
    #  UTC   18:29 | 18:31
    #  IST   23:59 | 00:01 of the next day
    url = services.database()
    with before(url, "0002_reasons", "0001_tables") as connection:
        connection.execute(
            'INSERT INTO "Generation" ("generation", "plant", "live") VALUES (1, %s, true)', [PLANT]
        )
        for line, minute in (("ligne1", 29), ("ligne2", 31)):
            connection.execute(
                """INSERT INTO "KPISnapshot" ("id", "lineId", "line", "windowStart", "windowEnd",
                    "availability", "performance", "runningSeconds", "stoppedSeconds", "plannedSeconds",
                    "noSignalSeconds", "unknownSeconds", "pieces", "defects", "theoreticalOutput",
                    "reportedOutput", "createdAt", "updatedAt", "generation", "versionTime", "versionOffset")
                VALUES (gen_random_uuid(), %(line)s, %(line)s, %(at)s, %(at)s, 50, 80, 30, 30, 0, 0, 0, 7, 0,
                    9, 8, %(at)s, %(at)s, 1, 0, 0)""",
                {"line": line, "at": datetime(2026, 3, 1, 18, minute, tzinfo=UTC)},
            )
        connection.commit()
        migrate(url)
        rows = connection.execute('SELECT * FROM "KPISnapshot" ORDER BY "lineId"').fetchall()
    assert [row["day"] for row in rows] == [date(2026, 3, 1), date(2026, 3, 2)]
    assert [row["hour"] for row in rows] == [
        datetime(2026, 3, 1, 17, 30, tzinfo=UTC),
        datetime(2026, 3, 1, 18, 30, tzinfo=UTC),
    ]
    assert [row["performanceFrom"] for row in rows] == ["rate", "pieces"]
    filled = [(row["timedPieces"], row["microSeconds"], row["do"], row["tp"]) for row in rows]
    assert filled == [(7, 0, 50, 80)] * 2


def test_an_order_of_an_earlier_release_stays_beside_another_of_its_number(services: Services):
    """Its row is kept, and a number may come again."""
    write = """INSERT INTO "ProductionOrder" ("id", "lineId", "line", "orderNumber", "productType",
            "quantity", "produced", "defects", "status", "priority", "createdAt", "updatedAt", "generation",
            "versionTime", "versionOffset")
        VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', 'A', 'Eau 50cl', 10, %s, 0, 'completed', 'low', now(),
            now(), 1, 0, 0)"""
    url = services.database()
    with before(url, "0002_reasons", "0001_tables") as connection:
        connection.execute(
            'INSERT INTO "Generation" ("generation", "plant", "live") VALUES (1, %s, true)', [PLANT]
        )
        connection.execute(write, [7])
        connection.commit()
        migrate(url)
        connection.execute(write, [3])
        rows = connection.execute('SELECT "produced" FROM "ProductionOrder" ORDER BY 1').fetchall()
    assert [row["produced"] for row in rows] == [3, 7]
