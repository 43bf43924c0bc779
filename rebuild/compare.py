"""Compares the tables of a new generation with the live ones, by line, day and table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from rebuild.shadow import live_schema, schema_of
from runtime.sql import composed, statement
from sinks.tables import DEAD_LETTER, PRODUCTION_DATA, TABLES, Table, listed

NOT_CONTENT = {"generation", "versionTime", "versionOffset"}
COMPARING_MEMORY = "256MB"

# Live rows that come, or may come, from records after the last one read.
_VERSION_BEYOND = (
    'live."versionOffset" >= reach."end" AND to_timestamp(live."versionTime" / 1000.0) >= reach."endTime"'
)
_DATA_BEYOND = 'made."id" IS NULL AND live."receivedAt" >= reach."endTime"'
_LETTER_BEYOND = (
    'made."id" IS NULL AND (live."topic" <> %(topic)s'
    ' OR (live."offset" >= reach."end" AND live."receivedAt" >= reach."endTime"))'
)


@dataclass
class Difference:
    """How many rows are the same, changed, added or removed."""

    same: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0

    @property
    def differing(self) -> int:
        """Rows that are not the same."""
        return self.changed + self.added + self.removed

    def add(self, what: str, count: int) -> None:
        """Add to the count of `what`: same, changed, added or removed."""
        setattr(self, what, getattr(self, what) + count)


class Place(NamedTuple):
    """Where rows differ."""

    table: str
    line: str
    day: date


@dataclass
class Comparison:
    """All tables, and the places where rows differ."""

    tables: dict[str, Difference] = field(default_factory=dict)
    places: dict[Place, Difference] = field(default_factory=dict)

    @property
    def differing(self) -> int:
        """Rows that are not the same."""
        return sum(difference.differing for difference in self.tables.values())


def compare(connection: psycopg.Connection, generation: int, topic: str, zone: str) -> Comparison:
    """Compare the tables of a generation with the live ones; `carry_over` must have been called.

    Args:
        zone: the plant's time zone, in which days are counted.
    """
    found = Comparison()
    connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(sql.Literal(COMPARING_MEMORY)))
    for table in TABLES:
        total = found.tables[table.name] = Difference()
        query = _query(connection, table, generation)
        for line, day, what, count in connection.execute(query, {"topic": topic, "zone": zone}).fetchall():
            total.add(what, count)
            if what != "same":
                found.places.setdefault(Place(table.name, line, day), Difference()).add(what, count)
    return found


def _query(connection: psycopg.Connection, table: Table, generation: int) -> sql.Composed:
    live = live_schema(connection)
    named: Sequence[Any] = connection.execute(
        statement("compare.columns"), [sql.Identifier(live, table.name).as_string(connection)]
    ).fetchall()
    content = [name for (name,) in named if name not in NOT_CONTENT]
    beyond, partition = _VERSION_BEYOND, 'line."partition"'
    if table is DEAD_LETTER:
        beyond, partition = _LETTER_BEYOND, 'live."partition" AND live."topic" = %(topic)s'
    elif table is PRODUCTION_DATA:
        beyond = _DATA_BEYOND
    return composed(
        "compare.rows",
        schema=schema_of(generation),
        live=live,
        table=table.name,
        time=table.time,
        live_columns=listed(content, "live"),
        made_columns=listed(content, "made"),
        beyond=sql.SQL(beyond),
        partition=sql.SQL(partition),
    )
