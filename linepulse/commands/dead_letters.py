"""`linepulse dead-letters list`, `show`: what could not be applied, and why."""

from typing import Annotated

import typer

from linepulse.plant_time import PlantTime
from linepulse.rows import AsJson, cell, line_of, list_rows, read_rows, row_as_json
from runtime.errors import UserError
from runtime.settings import Settings
from runtime.text import json_text, plain

app = typer.Typer(
    help="What could not be applied, and why.\n\nExample: linepulse dead-letters list", no_args_is_help=True
)


@app.command("list")
def list_dead_letters(
    line: Annotated[str | None, typer.Option(help="Of this line only.")] = None,
    reason: Annotated[str | None, typer.Option(help="Of this reason only: not_json, bad_field, ...")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the newest dead letters.

    Example: linepulse dead-letters list --line ligne1 --reason not_json
    """
    parameters = [line, line, reason, reason, limit]
    list_rows(Settings.read(), "lists.dead_letters", parameters, as_json=as_json)


@app.command()
def show(
    dead_letter: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole, with its payload.

    Example: linepulse dead-letters show 3f2a
    """
    settings = Settings.read()
    columns, rows = read_rows(settings, "lists.dead_letter", [dead_letter.lower()])
    if not rows:
        raise UserError(f"ID {dead_letter!r}: no such dead letter; see linepulse dead-letters list")
    if len(rows) > 1:
        raise UserError(f"ID {dead_letter!r}: several dead letters begin so; give more of it")
    clock = PlantTime.read(settings)
    if as_json:
        print(json_text(row_as_json(columns, rows[0], clock)))
        return
    line = line_of(columns, rows[0])
    for column, value in zip(columns, rows[0], strict=True):
        print(f"{column}: {plain(cell(value, clock, line))}")
