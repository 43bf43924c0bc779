"""Events as rows of COPY's text format: the cheapest way to write many (benchmarks/sinks.py)."""

from collections.abc import Iterable

import msgspec

from schemas.events import Event

NOT_COLUMNS = 2  # generation and version, the first attributes of every event
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(events: Iterable[Event]) -> bytes:
    """One line an event: its attributes after generation and version, in their order."""
    rows = ["\t".join(map(_field, msgspec.structs.astuple(event)[NOT_COLUMNS:])) for event in events]
    return "\n".join([*rows, ""]).encode()


def _field(value: object) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        # What COPY wants escaped is the backslash and some of what can't be printed.
        return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)
    return repr(value)  # int, float and bool as PostgreSQL reads them too
