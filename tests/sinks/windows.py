"""Windows written by hand, minute by minute, and what the views make of them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from schemas.ids import uuid_of
from sinks.sums import SUM_HOURS

PARIS = "Europe/Paris"
MINUTE = timedelta(minutes=1)
WRITE = 'INSERT INTO "KPISnapshot" SELECT * FROM json_populate_recordset(NULL::"KPISnapshot", %s)'
LONG_AGO = "2020-01-01T00:00:00Z"


def at(local: str, zone: str = PARIS, fold: int = 0) -> datetime:
    """A point in time by a clock; `fold`: of two, which."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)


class Rows:
    """A migrated database whose windows are written as the sinks write them, sums included."""

    def __init__(self, url: str) -> None:
        self.url = url

    def add(self, *windows: dict[str, Any]) -> None:
        """Write windows."""
        with psycopg.connect(self.url) as connection:
            payload = json.dumps(windows)
            connection.execute(WRITE, [payload])
            connection.execute(SUM_HOURS, [payload])

    def run(self, start: str, end: str, zone: str = PARIS, **facts: Any) -> None:
        """A line from `start` to `end` by its clock, a window a minute; see `minute`."""
        self.add(*minutes(at(start, zone), at(end, zone), **facts))

    def view(self, name: str, where: str = "true", **values: Any) -> list[dict[str, Any]]:
        """The rows of a view, in the order of time."""
        query = f'SELECT * FROM "{name}" WHERE {where} ORDER BY "periodStart", "periodEnd"'
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def query(self, *queries: str) -> list[dict[str, Any]]:
        """The rows of the last of some statements."""
        with psycopg.connect(self.url, row_factory=dict_row, autocommit=True) as connection:
            for query in queries:
                found = connection.execute(query)
            return found.fetchall() if found.description else []


def minutes(start: datetime, end: datetime, **facts: Any) -> Iterator[dict[str, Any]]:
    """A window a minute."""
    zone = start.tzinfo
    moment = start.astimezone(ZoneInfo("UTC"))
    while moment < end:
        yield minute(moment.astimezone(zone), **facts)
        moment += MINUTE


def minute(
    start: datetime, line: str = "ligne1", rate: float = 2.0, made: int = 2, **facts: Any
) -> dict[str, Any]:
    """One minute that ran, at a target of `rate` pieces, and made `made`."""
    row: dict[str, Any] = {
        "id": uuid_of("window", line, start.astimezone(ZoneInfo("UTC")).isoformat(), json.dumps(facts)),
        "lineId": line,
        "line": line.replace("ligne", "Ligne "),
        "windowStart": start.isoformat(),
        "windowEnd": (start.astimezone(ZoneInfo("UTC")) + MINUTE).isoformat(),
        "timeZone": str(start.tzinfo),
        "day": start.date().isoformat(),
        "hour": start.replace(minute=0, second=0).isoformat(),
        "shiftId": "MATIN",
        "shiftDate": start.date().isoformat(),
        "orderNumber": "ORD-1",
        "productType": "Eau 50cl",
        "performanceFrom": "pieces",
        "runningSeconds": 60.0,
        "pieces": made,
        "timedPieces": made,
        "theoreticalOutput": rate,
        "createdAt": LONG_AGO,
        "updatedAt": LONG_AGO,
        "generation": 1,
        "versionTime": 0,
        "versionOffset": 0,
        **facts,
    }
    for zero in (
        *(
            "slowSeconds",
            "stoppedSeconds",
            "microSeconds",
            "plannedSeconds",
            "noSignalSeconds",
            "closedSeconds",
        ),
        *("unknownSeconds", "defects", "reportedOutput", "stops", "microStops"),
    ):
        row.setdefault(zero, 0)
    return row


def stopped(seconds: float, **facts: Any) -> dict[str, Any]:
    """The columns of a minute in which the line stood still for some of the time."""
    return {"runningSeconds": 60.0 - seconds, "stoppedSeconds": seconds, **facts}
