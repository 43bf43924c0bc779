"""`linepulse order add`, `list`, `close`, `cancel`, `correct`: planned orders, through the log."""

from typing import Annotated

import typer

from linepulse.people import send
from linepulse.rows import AsJson, list_rows
from runtime.catalogue import tell
from runtime.settings import Settings
from schemas.raw import Kind

app = typer.Typer(
    help="Planned orders, through the log.\n\nExample: linepulse order list",
    no_args_is_help=True,
)

Line = Annotated[str, typer.Option(help="The line, as in its MQTT topic: ligne1.")]
Number = Annotated[str | None, typer.Option(help="The order's number; without it, the running order.")]


@app.command()
def add(
    line: Line,
    product: Annotated[str, typer.Option(help="What is produced.")],
    quantity: Annotated[int, typer.Option(help="Pieces.")],
    number: Annotated[str | None, typer.Option(help="Its number; without it, one is made.")] = None,
    priority: Annotated[str, typer.Option(help="low, medium, high or urgent.")] = "medium",
    target_rate: Annotated[float | None, typer.Option(help="Pieces per minute.")] = None,
    operator: Annotated[str | None, typer.Option(help="Who runs it.")] = None,
) -> None:
    """Plan an order: it starts when the line's running one ends, by priority, then age.

    Example: linepulse order add --line ligne1 --product "Bouteille 50cl" --quantity 5000 --priority high
    """
    fields = {"orderNumber": number, "productType": product, "quantity": quantity, "priority": priority}
    _send(line, {"action": "add", **fields, "targetRate": target_rate, "operator": operator})


@app.command()
def close(line: Line, number: Number = None) -> None:
    """End an order as completed, whatever was produced.

    Example: linepulse order close --line ligne1
    """
    _send(line, {"action": "close", "orderNumber": number})


@app.command()
def cancel(line: Line, number: Number = None) -> None:
    """Drop an order.

    Example: linepulse order cancel --line ligne1 --number ORD-1737123456-XY2Z4
    """
    _send(line, {"action": "cancel", "orderNumber": number})


@app.command()
def correct(
    line: Line,
    number: Annotated[str, typer.Option(help="The order's number.")],
    quantity: Annotated[int | None, typer.Option(help="What it asks for, in pieces.")] = None,
    defects: Annotated[int | None, typer.Option(help="Rejects found later; negative: taken back.")] = None,
    at: Annotated[str | None, typer.Option(help="When the rejects were made; default: at its end.")] = None,
) -> None:
    """Correct an order that waits, runs, or was among the line's latest 20.

    Example: linepulse order correct --line ligne1 --number ORD-1737123456-XY2Z4 --defects 12
    """
    fields = {"orderNumber": number, "quantity": quantity, "defects": defects, "at": at}
    _send(line, {"action": "correct", **fields})


@app.command("list")
def list_orders(
    line: Annotated[str | None, typer.Option(help="Of this line only.")] = None,
    status: Annotated[str | None, typer.Option(help="waiting, running, completed or cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the orders that PostgreSQL has: what runs, what waits, what was.

    Example: linepulse order list --line ligne1 --status waiting
    """
    list_rows(Settings.read(), "list_orders", [line, line, status, status, limit], as_json=as_json)


def _send(line: str, fields: dict[str, object]) -> None:
    settings = Settings.read()
    send(settings, line, Kind.ORDER, fields)
    print(tell(settings.lang, f"order.{fields['action']}", line=line))
