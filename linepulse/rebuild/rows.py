"""Events as lines of COPY's text format, each table's columns in the order that its COPY names them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from schemas.events import Event
from sinks.tables import (
    ALERT,
    DEAD_LETTER,
    DOWNTIME,
    KPI_SNAPSHOT,
    PRODUCTION_DATA,
    PRODUCTION_ORDER,
    Table,
)

TABLES = (PRODUCTION_DATA, PRODUCTION_ORDER, DOWNTIME, ALERT, KPI_SNAPSHOT, DEAD_LETTER)
TABLE_OF: Mapping[type[Event], Table] = {table.event: table for table in TABLES}
VERSION = ("versionTime", "versionOffset")

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def columns(table: Table) -> tuple[str, ...]:
    """What a line holds: the columns that events fill, then, where rows change, those of the version."""
    return (*table.columns, *VERSION) if table.versioned else table.columns


def line_of(event: Event) -> str:
    """The event's line, without the line feed.

    Raises:
        UnicodeEncodeError: later, in `encode`, where a text can't be written as UTF-8.
    """
    generation, version, *values = msgspec.structs.astuple(event)
    fields = [_FORM[type(value)](value) for value in values]
    if TABLE_OF[type(event)].versioned:
        fields.insert(0, str(generation))
        fields += [str(version[0]), str(version[1])]
    return "\t".join(fields)


def _text(value: str) -> str:
    # What COPY wants escaped is the backslash and some of what can't be printed.
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()


def _null(_: None) -> str:
    return "\\N"


_FORM: dict[type, Callable[[Any], str]] = {
    str: _text,
    bytes: _bytes,
    int: repr,
    float: repr,
    bool: repr,
    type(None): _null,
}
