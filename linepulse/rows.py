"""Rows of PostgreSQL for people at a terminal."""

from collections.abc import Sequence
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from linepulse.errors import UserError
from linepulse.sql import statement
from runtime.settings import Settings, without_password

PIPE_WIDTH = 200  # columns where the output is no terminal


def read_rows(
    settings: Settings, name: str, parameters: Sequence[Any]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The column names and the rows of a named statement.

    Raises:
        UserError: PostgreSQL does not answer, or has not our tables.
    """
    where = f"DATABASE_URL: {without_password(settings.database_url)}"
    try:
        with psycopg.connect(settings.database_url, connect_timeout=10) as connection:
            found = connection.execute(statement(name), parameters)
            return [column.name for column in found.description or ()], found.fetchall()
    except psycopg.errors.UndefinedTable:
        raise UserError(f"{where}: has no tables of linepulse; run linepulse setup") from None
    except psycopg.OperationalError as error:
        why = " ".join(str(error).split())
        raise UserError(f"{where}: {why}; start PostgreSQL, or correct the variable") from None


def print_table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print rows as a table, as wide as the terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)
