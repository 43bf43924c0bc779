"""Events as lines of COPY's text format, each table's columns in the order that its COPY names them."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from schemas.events import Event, SampleEvent
from sinks.tables import TABLES, Table

TABLE_OF: Mapping[type[Event], Table] = {table.event: table for table in TABLES}
UNCHANGING: Mapping[type[Event], Table] = {
    event: table for event, table in TABLE_OF.items() if not table.versioned
}
VERSION = ("versionTime", "versionOffset")

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def columns(table: Table) -> tuple[str, ...]:
    """What a line holds: the columns that events fill, then, where rows change, those of the version."""
    return (*table.columns, *VERSION) if table.versioned else table.columns


def line_of(event: Event) -> str:
    """The event's line, without the line feed."""
    if type(event) is SampleEvent:
        return _sample_line(event)
    generation, version, *values = msgspec.structs.astuple(event)
    fields = [_FORM[type(value)](value) for value in values]
    if TABLE_OF[type(event)].versioned:
        fields.insert(0, str(generation))
        fields += [str(version[0]), str(version[1])]
    return "\t".join(fields)


def _sample_line(event: SampleEvent) -> str:
    """As below, a field at a time: of these there is one a message."""
    target, rate = event.target_rate, event.actual_rate
    temperature, pressure = event.temperature, event.pressure
    return "\t".join(
        (
            event.id,
            event.line_id,
            _known_text(event.line),
            event.timestamp,
            str(event.bottles_produced),
            "\\N" if target is None else repr(target),
            "\\N" if rate is None else repr(rate),
            str(event.defect_count),
            "t" if event.is_running else "f",
            "\\N" if event.shift_id is None else _known_text(event.shift_id),
            event.shift_date or "\\N",
            "\\N" if temperature is None else repr(temperature),
            "\\N" if pressure is None else repr(pressure),
            event.received_at,
        )
    )


def _text(value: str) -> str:
    # What COPY wants escaped is the backslash and some of what can't be printed.
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)


_known_text = lru_cache(maxsize=4096)(_text)  # names of lines and shifts: few, and each told again and again


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
