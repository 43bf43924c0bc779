"""Events as lines of COPY's text format: the cheapest way to write many rows (benchmarks/sinks.py)."""

from collections.abc import Callable, Iterable, Sequence
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from schemas.events import Event

NULL = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

# How a value is written, by its declared type.
_FORMS = {str: "text({})", bytes: "hexadecimal({})", int: "repr({})", float: "repr({})", bool: "repr({})"}


def copy_text(lines: Iterable[str]) -> bytes:
    """The data of a COPY: each line, followed by a line feed."""
    return "\n".join([*lines, ""]).encode()


def line_function(event: type[Event], columns: Sequence[str]) -> Callable[[Any], str]:
    """A function from an event to its line, without the line feed.

    It is compiled for the event's type, as a dataclass' methods are: there is a sample for each message, and
    inspecting the type of each value takes 1.6 times as long.

    Args:
        columns: as JSON names them, in the order of the COPY; and `versionTime`, `versionOffset`.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(event)}
    values = {name: _value(field) for name, field in fields.items() if name != "version"}
    values |= {"versionTime": "repr(event.version[0])", "versionOffset": "repr(event.version[1])"}
    listed = ", ".join(f"({values[column]})" for column in columns)
    names: dict[str, Any] = {"text": _text, "hexadecimal": _hexadecimal, "NULL": NULL}
    exec(f"def line(event):\n    return '\\t'.join(({listed},))", names)
    line: Callable[[Any], str] = names["line"]
    return line


def _value(field: msgspec.structs.FieldInfo) -> str:
    """The expression that writes an attribute of `event`."""
    attribute, kind = f"event.{field.name}", field.type
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return _FORMS[str].format(attribute)
    kinds = get_args(kind)
    if NoneType not in kinds:
        return _FORMS[kind].format(attribute)
    [kind] = [kind for kind in kinds if kind is not NoneType]
    return f"NULL if (value := {attribute}) is None else {_FORMS[kind].format('value')}"


def _text(value: str) -> str:
    # COPY requires escapes for the backslash and for some unprintable characters.
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPED)


def _hexadecimal(value: bytes) -> str:
    return "\\\\x" + value.hex()
