"""Every SQL statement of the product, by subject and name: `statement("cursors.move")`.

A subject is a file of this folder. In it, each statement stands under a line `-- name: move`, with its
comment between the two. What defines the database is not here but in a file an object: `docs/schema.sql`,
`sinks/migrations/`, `sinks/views/`.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString

from psycopg import sql

_NAME = re.compile(r"^-- name: *(.*?) *$", re.MULTILINE)
_COMMENT = re.compile(r"(?:\s*--[^\n]*\n)*\s*")


class UnknownStatementError(LookupError):
    """No statement has this name."""


def statement(name: str) -> LiteralString:
    """The text of a statement, without the comment above it: our own text, so that psycopg may trust it.

    Args:
        name: `subject.name`.
    Raises:
        UnknownStatementError: there is none of this name.
    """
    try:
        return _statements()[name]
    except KeyError:
        raise UnknownStatementError(f"runtime/sql has no statement {name!r}") from None


def composed(name: str, **parts: sql.Composable | str) -> sql.Composed:
    """A statement with the parts put in that it has in braces; a text is an identifier.

    Raises:
        UnknownStatementError: there is none of this name.
    """
    filled: dict[str, Any] = {
        key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()
    }
    return sql.SQL(statement(name)).format(**filled)


def names() -> tuple[str, ...]:
    """The names of all statements."""
    return tuple(_statements())


def read(subject: str, text: str) -> dict[str, LiteralString]:
    """The statements of a file: their texts by their full names.

    Raises:
        ValueError: a statement has no name, no text, or the name of another one.
    """
    above, *parts = _NAME.split(text)
    if _COMMENT.sub("", above, count=1):
        raise ValueError(f"{subject}.sql: a statement stands above the first name")
    found: dict[str, LiteralString] = {}
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        full = f"{subject}.{name}"
        if not name:
            raise ValueError(f"{subject}.sql: a statement has no name")
        if full in found:
            raise ValueError(f"{subject}.sql: two statements are named {full}")
        found[full] = _COMMENT.sub("", part, count=1).rstrip()
        if not found[full]:
            raise ValueError(f"{subject}.sql: {name} is empty")
    return found


@cache
def _statements() -> dict[str, LiteralString]:
    found: dict[str, LiteralString] = {}
    for file in files(__package__).iterdir():
        if file.name.endswith(".sql"):
            found |= read(file.name.removesuffix(".sql"), file.read_text("utf-8"))
    return found
