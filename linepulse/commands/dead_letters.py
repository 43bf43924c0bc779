"""`linepulse dead-letters list`, `show`: what could not be applied, and why."""

from typing import Annotated, Any

import typer

from linepulse.errors import UserError
from linepulse.rows import print_table, read_rows
from runtime.settings import Settings

app = typer.Typer(
    help="What could not be applied, and why.\n\nExample: linepulse dead-letters list", no_args_is_help=True
)


@app.command("list")
def list_dead_letters(
    line: Annotated[str | None, typer.Option(help="Of this line only.")] = None,
    reason: Annotated[str | None, typer.Option(help="Of this reason only: not_json, bad_field, ...")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """Show the newest dead letters.

    Example: linepulse dead-letters list --line ligne1 --reason not_json
    """
    print_table(*read_rows(Settings.read(), "list_dead_letters", [line, line, reason, reason, limit]))


@app.command()
def show(
    dead_letter: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
) -> None:
    """Show one dead letter whole, with its payload.

    Example: linepulse dead-letters show 3f2a
    """
    columns, rows = read_rows(Settings.read(), "show_dead_letter", [dead_letter.lower()])
    if not rows:
        raise UserError(f"ID {dead_letter!r}: no such dead letter; see linepulse dead-letters list")
    if len(rows) > 1:
        raise UserError(f"ID {dead_letter!r}: several dead letters begin so; give more of it")
    for column, value in zip(columns, rows[0], strict=True):
        print(f"{column}: {shown(value)}")


def shown(value: Any) -> str:
    """A column's value; a payload as text where it is text, else as Python writes bytes."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return repr(value)
