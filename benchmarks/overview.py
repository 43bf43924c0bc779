"""What a refresh of the page costs while the database holds names that are gone.

`python -m benchmarks.overview [--names 100000] [--lines 20]` prints one JSON object. PostgreSQL as the tests
start it; the lines spoke a minute ago, after two days of windows, each other name said one thing ten days
ago (with `--days-ago`, as many days): a row in "ProductionData", "KPISnapshot", "KPISum" and
"ProductionOrder". The reference is the same database before they came. A time is the median of several.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dashboard.moment import GONE
from dashboard.store import Store
from sinks.schema import migrate
from sinks.sums import summed
from tests.services import Services

ROUNDS = 9
DAYS = 2


def fill_lines(connection: psycopg.Connection[Any], now: datetime, lines: int) -> None:
    """Lines that speak: two days of windows and samples, the last a minute ago."""
    size = {"days": DAYS, "lines": lines, "samples": 2880, "end": (now - timedelta(minutes=1)).isoformat()}
    for table in ("windows", "samples"):
        connection.execute((files(__package__) / "sql" / f"{table}.sql").read_text("utf-8"), size)


def fill_names(connection: psycopg.Connection[Any], at: datetime, names: int) -> None:
    """Names that said one thing each."""
    for table in ("ProductionData", "KPISnapshot", "ProductionOrder"):
        statement = (files(__package__) / "sql" / f"name_{table}.sql").read_text("utf-8")
        connection.execute(statement, {"at": at, "names": names})


def sum_up(connection: psycopg.Connection[Any]) -> None:
    """Have the sums follow, and the statistics."""
    connection.execute('TRUNCATE "KPISum"')
    connection.execute(sql.SQL('INSERT INTO "KPISum" {}').format(summed("KPISnapshot")))
    connection.execute("VACUUM ANALYZE")


async def refresh(url: str, now: datetime) -> dict[str, float]:
    """How long the overview takes (ms), and how many tiles it has."""
    store = Store(url)
    await store.page_rules()
    await store.overview(now, now - GONE)
    took = []
    tiles = 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        tiles = len((await store.overview(now, now - GONE)).tiles)
        took.append(time.perf_counter() - began)
    await store.close()
    return {"ms": round(statistics.median(took) * 1000, 1), "tiles": tiles}


def measure(names: int, lines: int, days_ago: float) -> dict[str, Any]:
    """Without the names, then with them."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("embedded", folder)
    now = datetime.now(UTC)
    try:
        url = services.database()
        migrate(url)
        with psycopg.connect(url, autocommit=True) as connection:
            fill_lines(connection, now, lines)
            sum_up(connection)
            without = asyncio.run(refresh(url, now))
            fill_names(connection, now - timedelta(days=days_ago), names)
            sum_up(connection)
            with_ = asyncio.run(refresh(url, now))
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "benchmark": "overview",
        "names": names,
        "lines": lines,
        "days_ago": days_ago,
        "without": without,
        "with": with_,
        "ratio": round(with_["ms"] / without["ms"], 2),
    }


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--names", type=int, default=100_000)
    arguments.add_argument("--lines", type=int, default=20)
    arguments.add_argument("--days-ago", type=float, default=10)
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.names, chosen.lines, chosen.days_ago), indent=2))


if __name__ == "__main__":
    main()
