"""How long typical questions to the views take, beside counting the windows that they are about.

`python -m benchmarks.rollups [--days 30] [--lines 20] [--samples 1000000]` makes a past of that many days, in
SQL, on PostgreSQL as the tests start it, and prints one JSON object. A question's time is the best of three;
so is its reference's, `SELECT count(*)` of the rows that it is about. A question that names a line or a time
must reach an index; `index` says whether PostgreSQL then chose one. `--days 365 --samples 10000000` is a year
of twenty lines: some twenty minutes, 12 GB. `--url` asks a database that is there.
"""

import argparse
import json
import shutil
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from sinks.schema import migrate
from sinks.sums import sum_all
from tests.services import Services

END = "2026-11-01 00:00+01"  # the past ends here
ROUNDS = 3
MORE_WAL = ("ALTER SYSTEM SET max_wal_size = '4GB'", "SELECT pg_reload_conf()")


class Question(NamedTuple):
    """What somebody asks, what counts the rows that it is about, and whether it must reach an index."""

    name: str
    asked: str
    reference: str
    by_index: bool = True


WINDOWS = 'SELECT count(*) FROM "KPISnapshot"'
QUESTIONS = (
    Question(
        "a line's day by hour",
        """SELECT * FROM "KPIHour" WHERE "lineId" = 'ligne1' AND "day" = '2026-10-28'""",
        f"""{WINDOWS} WHERE "lineId" = 'ligne1' AND "windowStart" >= '2026-10-28 00:00+01'
            AND "windowStart" < '2026-10-29 00:00+01'""",
    ),
    Question(
        "all lines' week by shift",
        """SELECT * FROM "KPIShift" WHERE "shiftDate" BETWEEN '2026-10-19' AND '2026-10-25'""",
        f"""{WINDOWS} WHERE "windowStart" >= '2026-10-19 06:00+02'
            AND "windowStart" < '2026-10-26 06:00+01'""",
    ),
    Question(
        "a line's year by week",
        """SELECT * FROM "KPIWeek" WHERE "lineId" = 'ligne1'""",
        f"""{WINDOWS} WHERE "lineId" = 'ligne1'""",
    ),
    Question("the plant's year by day", 'SELECT * FROM "KPIPlant"', WINDOWS, by_index=False),
    Question("every line's year", 'SELECT * FROM "KPILine"', WINDOWS, by_index=False),
    Question(
        "an order",
        """SELECT * FROM "KPIOrder" WHERE "lineId" = 'ligne1' AND "orderNumber" = (
            SELECT "orderNumber" FROM "KPISum" WHERE "lineId" = 'ligne1' ORDER BY "hour" DESC LIMIT 1
        )""",
        f"""{WINDOWS} WHERE "lineId" = 'ligne1' AND "windowStart" >= '2026-10-31 19:00+01'""",
    ),
    Question(
        "a month's stops by cause",
        "SELECT * FROM stop_pareto('2026-10-01 00:00+02', '2026-11-01 00:00+01')",
        """SELECT count(*) FROM "Downtime" WHERE "startTime" >= '2026-10-01 00:00+02'
            AND "startTime" < '2026-11-01 00:00+01'""",
    ),
    Question(
        "a line's stops of a month by cause",
        """SELECT * FROM stop_pareto('2026-10-01 00:00+02', '2026-11-01 00:00+01')
            WHERE "lineId" = 'ligne1'""",
        """SELECT count(*) FROM "Downtime" WHERE "lineId" = 'ligne1' AND "startTime" >= '2026-10-01 00:00+02'
            AND "startTime" < '2026-11-01 00:00+01'""",
    ),
    Question(
        "the latest samples",
        'SELECT * FROM "ProductionData" ORDER BY "timestamp" DESC LIMIT 10',
        'SELECT count(*) FROM "ProductionData"',
        by_index=False,  # it names no time: the order comes from one
    ),
    Question(
        "a line's hour of samples",
        """SELECT * FROM "ProductionData" WHERE "lineId" = 'ligne1' AND "timestamp" >= '2026-10-31 12:00+01'
            AND "timestamp" < '2026-10-31 13:00+01'""",
        """SELECT count(*) FROM "ProductionData" WHERE "lineId" = 'ligne1'
            AND "timestamp" >= '2026-10-31 12:00+01' AND "timestamp" < '2026-10-31 13:00+01'""",
    ),
)


def fill(connection: psycopg.Connection[Any], days: int, lines: int, samples: int) -> dict[str, float]:
    """Make the past; how many seconds each table took."""
    connection.execute("SET synchronous_commit = off")
    size = {"days": days, "lines": lines, "samples": samples // lines, "end": END}
    took = {}
    for table in ("windows", "samples", "stops"):
        began = time.monotonic()
        connection.execute((files(__package__) / "sql" / f"{table}.sql").read_text("utf-8"), size)
        took[table] = round(time.monotonic() - began, 1)
    began = time.monotonic()
    sum_all(connection)
    took["sums"] = round(time.monotonic() - began, 1)
    connection.execute("VACUUM ANALYZE")
    return took


def best_ms(connection: psycopg.Connection[Any], query: str) -> tuple[float, int]:
    """The best time of a few, and how many rows there are."""
    times, rows = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        rows = len(connection.execute(query).fetchall())
        times.append(time.perf_counter() - began)
    return round(min(times) * 1000, 1), rows


def uses_index(connection: psycopg.Connection[Any], query: str) -> bool:
    """Whether PostgreSQL means to look a condition up."""
    plan = connection.execute(f"EXPLAIN (COSTS OFF) {query}").fetchall()
    return any("Index Cond" in line for (line,) in plan)


def answer(connection: psycopg.Connection[Any], question: Question) -> dict[str, Any]:
    """Ask, count, and look at the plan."""
    if question.by_index:
        connection.execute("SET enable_seqscan = off")
        assert uses_index(connection, question.asked), f"{question.name}: reaches no index"
        connection.execute("RESET enable_seqscan")
    took, rows = best_ms(connection, question.asked)
    reference, _ = best_ms(connection, question.reference)
    return {
        "question": question.name,
        "ms": took,
        "rows": rows,
        "count_ms": reference,
        "index": uses_index(connection, question.asked),
    }


def measure(url: str, made: dict[str, float] | None) -> dict[str, Any]:
    """Every question, of a database that is filled."""
    with psycopg.connect(url, autocommit=True) as connection:
        counted = {}
        for table in ("KPISnapshot", "KPISum", "ProductionData", "Downtime"):
            size = connection.execute(
                f"""SELECT count(*), pg_total_relation_size('"{table}"') / 1048576 FROM "{table}" """
            ).fetchone()
            assert size is not None
            counted[table] = {"rows": size[0], "mib": int(size[1])}
        return {
            "benchmark": "rollups",
            "tables": counted,
            "filled_in_s": made,
            "questions": [answer(connection, question) for question in QUESTIONS],
        }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=30)
    arguments.add_argument("--lines", type=int, default=20)
    arguments.add_argument("--samples", type=int, default=1_000_000)
    arguments.add_argument("--url")
    chosen = arguments.parse_args()
    if chosen.url:
        print(json.dumps(measure(chosen.url, None), indent=2))
        return
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)
    try:
        url = services.database()
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in MORE_WAL:
                connection.execute(statement)
            made = fill(connection, chosen.days, chosen.lines, chosen.samples)
        print(json.dumps(measure(url, made), indent=2))
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
