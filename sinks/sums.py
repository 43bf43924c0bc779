"""Sums of windows by line and local hour: what figures of long periods are made of.

A year of windows of twenty lines is ten million rows, and their sums by hour a few hundred thousand. The
sinks keep them in the transaction that writes the windows; a table is always the sum of the other.
"""

import psycopg
from psycopg import sql

from runtime.sql import composed
from sinks.place import standing_in


def summed(windows: str) -> sql.Composed:
    """The rows that "KPISum" holds of the windows in a table of this name."""
    return composed("sums.of_windows", sums=composed("sums.columns"), windows=windows)


def sum_all(connection: psycopg.Connection, schema: str | None = None) -> None:
    """Fill an empty "KPISum" from the "KPISnapshot" of the same schema (default: the current one)."""
    with connection.transaction(), standing_in(connection, schema):
        connection.execute(composed("sums.fill", sums=summed("KPISnapshot")))


SUM_HOURS = composed("sums.renew_hours", sums=summed("windows")).as_string()
"""Takes one parameter: the windows' events, a JSON array as text."""
