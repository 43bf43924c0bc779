"""Sums of windows by line and local hour: what figures of long periods are made of.

A year of windows of twenty lines is ten million rows, and their sums by hour a few hundred thousand. The
sinks keep them in the transaction that writes the windows; a table is always the sum of the other.
"""

from collections.abc import Mapping

import msgspec
import psycopg
from psycopg import sql

from runtime.sql import composed
from schemas import events
from schemas.events import KpiEvent
from sinks.place import standing_in

# What a row of "KPISum" is the sum of, in the order in which `sums.of_windows` gives it.
OF = (
    "lineId", "line", "hour", "part", "timeZone", "day", "dayStart", "weekStart", "shiftId", "shiftDate",
    "orderNumber", "productType", "firstStart", "lastEnd",
)  # fmt: skip


def _summed_columns() -> Mapping[str, float]:
    """The columns that are sums, and the parts of one that each is rounded to: as `KpiEvent` declares them.

    Beside "reportedOutput" stands "realOutput": each window's own, as its "performanceFrom" says.
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

    Rounding takes away what adding doubles has put there: a sum does not depend on the order of its terms.
    """
    return sql.SQL(",\n").join(_sum(name, parts) for name, parts in SUMMED.items())


def _sum(name: str, parts: float) -> sql.Composed:
    form = (
        "sum({name})::bigint AS {name}" if parts == 1 else "round(sum({name}) * {parts}) / {parts} AS {name}"
    )
    return sql.SQL(form).format(name=sql.Identifier(name), parts=sql.SQL(f"{parts:.0e}".replace("+0", "")))


def of_hours(hours: str) -> sql.Composed:
    """What is summed, as columns of rows of "KPISum"."""
    return sql.SQL(", ").join(sql.Identifier(hours, name) for name in SUMMED)


def of_windows(windows: str) -> sql.Composed:
    """What is summed, as columns of rows of "KPISnapshot", which have no "realOutput"."""
    real = sql.SQL(
        """CASE {0}."performanceFrom" WHEN 'rate' THEN {0}."reportedOutput" ELSE {0}."timedPieces" END"""
    ).format(sql.Identifier(windows))
    return sql.SQL(", ").join(
        real if name == "realOutput" else sql.Identifier(windows, name) for name in SUMMED
    )


def summed(windows: str) -> sql.Composed:
    """The rows that "KPISum" holds of the windows in a table of this name."""
    return composed("sums.of_windows", sums=sums(), windows=windows)


def sum_all(connection: psycopg.Connection, schema: str | None = None) -> None:
    """Fill an empty "KPISum" from the "KPISnapshot" of the same schema (default: the current one)."""
    with connection.transaction(), standing_in(connection, schema):
        connection.execute(composed("sums.fill", columns=_columns(), sums=summed("KPISnapshot")))


def _columns(*of: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*of, name) for name in (*OF, *SUMMED))


SUM_HOURS = composed(
    "sums.renew_hours", sums=summed("windows"), columns=_columns(), new_columns=_columns("excluded")
).as_string()
"""Takes one parameter: the windows' events, a JSON array as text."""
