"""The command line's SQL: a statement a file."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def statement(name: str) -> LiteralString:
    """The text of `<name>.sql`."""
    return (files(__package__) / f"{name}.sql").read_text("utf-8")
