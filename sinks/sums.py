"""Sums of windows by line and local hour: figures of long periods are computed from them.

A year of windows of twenty lines is ten million rows, and their sums by hour a few hundred thousand. The
sinks update them in the transaction that writes the windows: "KPISum" is always the sum of "KPISnapshot".
"""

from collections.abc import Mapping

import msgspec
import psycopg
from psycopg import sql

from runtime.sql import composed
from schemas import events
from schemas.events import KpiEvent
from sinks.search_path import search_path

# The columns that say which windows a row of "KPISum" sums, in the order of `sums.of_windows`.
KEY_COLUMNS = (
    "lineId", "line", "hour", "part", "timeZone", "day", "dayStart", "weekStart", "shiftId", "shiftDate",
    "orderNumber", "productType", "firstStart", "lastEnd",
)  # fmt: skip


def _summed_columns() -> Mapping[str, float]:
    """The columns that are sums, and the parts of one that each is rounded to: as `KpiEvent` declares them.

    "reportedOutput" is followed by "realOutput", which each window's "performanceFrom" selects.
    """
    found: dict[str, float] = {}
    for field in msgspec.structs.fields(KpiEvent):
        if field.name in events.SUMMED:
            found[field.encode_name] = events.SUMMED[field.name]
        if field.name == "reported_output":
            found["realOutput"] = events.SUMMED[field.name]
    return found


SUMMED = _summed_columns()


def sums() -> sql.Composed:
    """The sums of windows, or of their sums, as columns of a query.

    Rounding removes the error of adding doubles: a sum does not depend on the order of its terms.
    """
    return sql.SQL(",\n").join(_sum(name, parts) for name, parts in SUMMED.items())


def _sum(name: str, parts: float) -> sql.Composed:
    form = (
        "sum({name})::bigint AS {name}" if parts == 1 else "round(sum({name}) * {parts}) / {parts} AS {name}"
    )
    return sql.SQL(form).format(name=sql.Identifier(name), parts=sql.SQL(f"{parts:.0e}".replace("+0", "")))


def of_hours(hours: str) -> sql.Composed:
    """The columns to sum, of a table like "KPISum"."""
    return sql.SQL(", ").join(sql.Identifier(hours, name) for name in SUMMED)


def of_windows(windows: str) -> sql.Composed:
    """The columns to sum, of a table like "KPISnapshot"; "realOutput", which it lacks, is computed."""
    real = sql.SQL(
        """CASE {0}."performanceFrom" WHEN 'rate' THEN {0}."reportedOutput" ELSE {0}."timedPieces" END"""
    ).format(sql.Identifier(windows))
    return sql.SQL(", ").join(
        real if name == "realOutput" else sql.Identifier(windows, name) for name in SUMMED
    )


def summed(windows: str) -> sql.Composed:
    """A query of the rows that "KPISum" holds for the windows in a table of this name."""
    return composed("sums.of_windows", sums=sums(), windows=windows)


def sum_all(connection: psycopg.Connection, schema: str | None = None) -> None:
    """Fill an empty "KPISum" from the "KPISnapshot" of the same schema (default: the current one)."""
    with connection.transaction(), search_path(connection, schema):
        connection.execute(composed("sums.fill", columns=_columns(), sums=summed("KPISnapshot")))


def _columns(*table: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*table, name) for name in (*KEY_COLUMNS, *SUMMED))


SUM_HOURS = composed(
    "sums.renew_hours", sums=summed("windows"), columns=_columns(), new_columns=_columns("excluded")
).as_string()
"""Takes one parameter: the windows' events, a JSON array as text."""
