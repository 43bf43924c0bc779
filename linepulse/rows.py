"""Rows of PostgreSQL for people at a terminal, and as JSON for programs."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from linepulse.plant_time import PlantTime
from runtime.errors import UserError
from runtime.settings import Settings, without_password
from runtime.sql import statement
from runtime.text import json_text, one_line, plain

PIPE_WIDTH = 200  # columns where the output is no terminal
IN_UTC = "-c timezone=UTC"  # east of it, our last moment is in the year 10000, which Python does not have

AsJson = Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")]


def read_rows(
    settings: Settings, name: str, parameters: Sequence[Any] | Mapping[str, Any]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The column names and the rows of a named statement.

    Raises:
        UserError: PostgreSQL does not answer, or does not have our tables.
    """
    where = f"DATABASE_URL: {without_password(settings.database_url)}"
    try:
        with psycopg.connect(in_utc(settings.database_url), connect_timeout=10) as connection:
            found = connection.execute(statement(name), parameters)
            return [column.name for column in found.description or ()], found.fetchall()
    except psycopg.errors.UndefinedTable:
        raise UserError(f"{where}: has no tables of linepulse; run linepulse setup") from None
    except psycopg.OperationalError as error:
        why = one_line(error)
        raise UserError(f"{where}: {why}; start PostgreSQL, or correct the variable") from None


def in_utc(database_url: str, *more: str) -> str:
    """The connection string for times in UTC, with `more` options in addition to those of the URL."""
    options = [str(psycopg.conninfo.conninfo_to_dict(database_url).get("options") or ""), IN_UTC, *more]
    return psycopg.conninfo.make_conninfo(database_url, options=" ".join(filter(None, options)))


def list_rows(settings: Settings, name: str, parameters: Sequence[Any], *, as_json: bool) -> None:
    """Print the rows of a named statement, times in the line's zone, as a table or as a JSON list.

    Raises:
        UserError: PostgreSQL does not answer, or does not have our tables.
    """
    print_rows(*read_rows(settings, name, parameters), PlantTime.read(settings), as_json=as_json)


def print_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], clock: PlantTime, *, as_json: bool
) -> None:
    """Print rows, times in the line's zone, as a table or as a JSON list."""
    if as_json:
        print(json_text([row_as_json(columns, row, clock) for row in rows]))
        return
    print_table(columns, [[cell(value, clock, line_of(columns, row)) for value in row] for row in rows])


def row_as_json(columns: Sequence[str], row: Sequence[Any], clock: PlantTime) -> dict[str, Any]:
    """A row as an object: times as ISO 8601 with their offset, bytes as text, or else as base64."""
    line = line_of(columns, row)
    return {name: _json(value, clock, line) for name, value in zip(columns, row, strict=True)}


def line_of(columns: Sequence[str], row: Sequence[Any]) -> str:
    """The line in whose zone a row's times are shown: `lineId` or `line`; without either "", the plant."""
    named = dict(zip(columns, row, strict=True))
    return str(named.get("lineId", named.get("line", "")))


def cell(value: Any, clock: PlantTime, line: str) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return clock.shown(value, line)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return repr(value)
    return str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table as wide as the terminal. Markup and control characters have no effect."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    table = Table()
    for column in columns:
        table.add_column(Text(plain(column)))
    for row in rows:
        table.add_row(*(Text("" if value is None else plain(str(value))) for value in row))
    console.print(table)


def _json(value: Any, clock: PlantTime, line: str) -> Any:
    if isinstance(value, datetime):
        return clock.shown(value, line, "T")
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    return value
