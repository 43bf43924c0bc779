"""Which events become rows of which table, and the statements that write them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

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
from sinks.copy_text import line_function
from sinks.sums import SUM_HOURS

VERSION = ("versionTime", "versionOffset")


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
        time: the column that says which day a row is of.
        write: the statement that takes events as one JSON array and can meet rows that exist.
        copy: whether events that are new are worth a COPY.
        sums: a statement that takes the same events, and brings up to date what is summed of their rows.
        open_rows: the statements for rows that a lost log left open, where rows can be.
        lasts: the columns of its beginning and its end, where a row lasts. Of one that spans the beginning of
            a shortened log, a rebuild keeps the live table's row and not its own of the rest.
    """

    name: str
    event: type[Event]
    time: str
    write: str
    copy: bool = False
    sums: str | None = None
    open_rows: OpenRows | None = None
    lasts: tuple[str, str] | None = None

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
    def copy_columns(self) -> tuple[str, ...]:
        """What a line of COPY holds: the columns, and those of the version where rows change."""
        return (*self.columns, *VERSION) if self.versioned else self.columns

    @cached_property
    def line(self) -> Callable[[Any], str]:
        """An event as a line of COPY, without the line feed: the text of its `copy_columns`."""
        return line_function(self.event, self.copy_columns)

    @cached_property
    def write_statement(self) -> str:
        """Takes one parameter: the events, a JSON array as text."""
        return self._composed(self.write)

    @cached_property
    def copy_statement(self) -> str:
        """Takes lines of `copy_columns`."""
        return self.copy_into(sql.Identifier(self.name)).as_string()

    def copy_into(self, table: sql.Identifier) -> sql.Composed:
        """The COPY into a table that is made like this one."""
        return composed("rows.copy", table=table, columns=listed(self.copy_columns))

    def _composed(self, name: str) -> str:
        return composed(
            name,
            table=self.name,
            columns=listed(self.columns),
            row_columns=listed(self.columns, "row"),
            new_columns=listed(self.columns, "excluded"),
        ).as_string()


OPEN_ORDERS = OpenRows("open_rows.find_orders", "open_rows.close_orders")
OPEN_STOPS = OpenRows("open_rows.find_stops", "open_rows.close_stops")
OPEN_ALERTS = OpenRows("open_rows.find_alerts", "open_rows.close_alerts")

PRODUCTION_DATA = Table("ProductionData", SampleEvent, "timestamp", "rows.insert_new", copy=True)
PRODUCTION_ORDER = Table("ProductionOrder", OrderEvent, "createdAt", "rows.upsert", open_rows=OPEN_ORDERS)
DOWNTIME = Table(
    "Downtime",
    DowntimeEvent,
    "startTime",
    "rows.upsert",
    open_rows=OPEN_STOPS,
    lasts=("startTime", "endTime"),
)
ALERT = Table("Alert", AlertEvent, "startedAt", "rows.upsert", open_rows=OPEN_ALERTS)
KPI_SNAPSHOT = Table(
    "KPISnapshot",
    KpiEvent,
    "windowStart",
    "rows.upsert",
    sums=SUM_HOURS,
    lasts=("windowStart", "windowEnd"),
)
DEAD_LETTER = Table("DeadLetter", DeadLetterEvent, "receivedAt", "rows.insert_dead_letters")
TABLES = (PRODUCTION_DATA, PRODUCTION_ORDER, DOWNTIME, ALERT, KPI_SNAPSHOT, DEAD_LETTER)
KPI_SUM = "KPISum"  # no events become its rows: they follow from the windows
ALL_TABLES = (*(table.name for table in TABLES), KPI_SUM, "SinkCursor", "StageProgress", "Generation")
TABLE_OF: Mapping[type[Event], Table] = {table.event: table for table in TABLES}


def listed(columns: Iterable[str], *of: str) -> sql.Composed:
    """The columns as a list in SQL, of a table or alias where one is named."""
    return sql.SQL(", ").join(sql.Identifier(*of, column) for column in columns)


def line_of(event: Event) -> str:
    """The event as a line of COPY into its table, without the line feed."""
    return TABLE_OF[type(event)].line(event)


def tables_of(topics: Topics) -> Mapping[str, Table]:
    """The table of each derived topic."""
    return {topics.of(table.event): table for table in TABLES}
