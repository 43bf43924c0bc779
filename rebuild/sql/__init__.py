"""The rebuild's SQL: a statement a file. What is in braces is an identifier or a list of them."""

from functools import cache
from importlib.resources import files
from typing import Any, LiteralString

from psycopg import sql


@cache
def statement(name: str) -> LiteralString:
    """The text of `<name>.sql`."""
    return (files(__package__) / f"{name}.sql").read_text("utf-8")


def composed(name: str, **parts: sql.Composable | str) -> sql.Composed:
    """A statement with its parts put in; a text is an identifier."""
    filled: dict[str, Any] = {
        key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()
    }
    return sql.SQL(statement(name)).format(**filled)
