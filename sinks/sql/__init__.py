"""Every statement of the sinks, by name: `sql/<name>.sql`."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def statement(name: str) -> LiteralString:
    """The statement `name`, as its file has it: our own text, so that psycopg may trust it."""
    return (files(__package__) / f"{name}.sql").read_text("utf-8")
