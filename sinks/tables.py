"""Which events become rows of which table, and the statements that write them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec
from psycopg import sql

from runtime.sql import composed
from schemas.events import (
    AlertEvent,
    DeadLetterEvent,
    DowntimeEvent,
    Event,
    KpiEvent,
    OrderEvent,
    SampleEvent,
)
from schemas.topics import Topics
from sinks.sums import SUM_HOURS


class OpenRows(NamedTuple):
    """The names of the statements that find, and close, the rows of a table that a lost log left open."""

    find: str
    close: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table whose columns are the attributes of an event.

    Attributes:
        name: of the table.
        event: the type of its events.
        write: the statement that takes events as one JSON array and can meet rows that exist.
        copy: whether events that are new are worth a COPY.
        lanes: how many partitions are written at once, each by a connection of its own: while PostgreSQL
            stores one batch, the next is read.
        sums: a statement that takes the same events, and brings up to date what is summed of their rows.
        open_rows: the statements for rows that a lost log left open, where rows can be.
    """

    name: str
    event: type[Event]
    write: str
    copy: bool = False
    lanes: int = 1
    sums: str | None = None
    open_rows: OpenRows | None = None

    @property
    def versioned(self) -> bool:
        """Whether a row changes: a higher version of it takes its place."""
        return self.write == "rows.upsert"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The attributes that are columns under the same name, in the event's order."""
        apart = {"version"} if self.versioned else {"version", "generation"}
        names = (field.encode_name for field in msgspec.structs.fields(self.event))
        return tuple(name for name in names if name not in apart)

    @cached_property
    def write_statement(self) -> str:
        """Takes one parameter: the events, a JSON array as text."""
        return self._composed(self.write)

    @cached_property
    def copy_statement(self) -> str:
        """Takes text rows of `columns`."""
        return self._composed("rows.copy")

    def _composed(self, name: str) -> str:
        return composed(
            name,
            table=self.name,
            columns=self._list(),
            row_columns=self._list("row"),
            new_columns=self._list("excluded"),
        ).as_string()

    def _list(self, *of: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(*of, column) for column in self.columns)


OPEN_ORDERS = OpenRows("open_rows.find_orders", "open_rows.close_orders")
OPEN_STOPS = OpenRows("open_rows.find_stops", "open_rows.close_stops")
OPEN_ALERTS = OpenRows("open_rows.find_alerts", "open_rows.close_alerts")

PRODUCTION_DATA = Table("ProductionData", SampleEvent, "rows.insert_new", copy=True, lanes=3)
PRODUCTION_ORDER = Table("ProductionOrder", OrderEvent, "rows.upsert", open_rows=OPEN_ORDERS)
DOWNTIME = Table("Downtime", DowntimeEvent, "rows.upsert", open_rows=OPEN_STOPS)
ALERT = Table("Alert", AlertEvent, "rows.upsert", open_rows=OPEN_ALERTS)
KPI_SNAPSHOT = Table("KPISnapshot", KpiEvent, "rows.upsert", sums=SUM_HOURS)
DEAD_LETTER = Table("DeadLetter", DeadLetterEvent, "rows.insert_dead_letters")
TABLES = (PRODUCTION_DATA, PRODUCTION_ORDER, DOWNTIME, ALERT, KPI_SNAPSHOT, DEAD_LETTER)


def tables_of(topics: Topics) -> Mapping[str, Table]:
    """The table of each derived topic."""
    return {topics.of(table.event): table for table in TABLES}
