"""`linepulse order add`, `list`, `close`, `cancel`, `correct`: planned orders, through the log."""

import time
from typing import Annotated, Any
from uuid import uuid4

import typer

from linepulse.effects import OrderAdded, OrderCorrected, OrderEnded
from linepulse.outcome import Effect
from linepulse.request import NoWait, Request, carry_out
from linepulse.rows import AsJson, list_rows
from runtime.settings import Settings
from schemas.ids import order_number_of
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
    new_line: Annotated[
        bool, typer.Option("--new-line", help="Also of a line that was never heard, nor is in plant.toml.")
    ] = False,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Plan an order: it starts when the line's running one ends, by priority, then age.

    The number of an order that waits already: that order is modified, and shown. Of one that runs or is done:
    refused.

    Example: linepulse order add --line ligne1 --product "Bouteille 50cl" --quantity 5000 --priority high
    """
    if number is None:  # made as the pipeline would, but here, so that its row can be found
        number = order_number_of(str(uuid4()), time.time_ns() // 1_000_000)
    fields = {"orderNumber": number, "productType": product, "quantity": quantity, "priority": priority}
    fields = {"action": "add", **fields, "targetRate": target_rate, "operator": operator}
    _ask(line, fields, OrderAdded(line, fields), no_wait, as_json, new_line=new_line)


@app.command()
def close(line: Line, number: Number = None, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """End an order as completed, whatever was produced.

    Example: linepulse order close --line ligne1
    """
    fields: dict[str, Any] = {"action": "close", "orderNumber": number}
    _ask(line, fields, OrderEnded(line, fields), no_wait, as_json)


@app.command()
def cancel(line: Line, number: Number = None, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Drop an order.

    Example: linepulse order cancel --line ligne1 --number ORD-1737123456-XY2Z4
    """
    fields: dict[str, Any] = {"action": "cancel", "orderNumber": number}
    _ask(line, fields, OrderEnded(line, fields), no_wait, as_json)


@app.command()
def correct(
    line: Line,
    number: Annotated[str, typer.Option(help="The order's number.")],
    quantity: Annotated[int | None, typer.Option(help="What it asks for, in pieces.")] = None,
    defects: Annotated[int | None, typer.Option(help="Rejects found later; negative: taken back.")] = None,
    at: Annotated[str | None, typer.Option(help="When the rejects were made; default: at its end.")] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Correct an order that waits, runs, or was among the line's latest 20.

    Example: linepulse order correct --line ligne1 --number ORD-1737123456-XY2Z4 --defects 12
    """
    fields = {"orderNumber": number, "quantity": quantity, "defects": defects, "at": at}
    effect = OrderCorrected(line, number, quantity, defects or 0)
    _ask(line, {"action": "correct", **fields}, effect, no_wait, as_json)


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
    list_rows(Settings.read(), "lists.orders", [line, line, status, status, limit], as_json=as_json)


def _ask(
    line: str,
    fields: dict[str, Any],
    effect: Effect,
    no_wait: bool,
    as_json: bool,
    *,
    new_line: bool = False,
) -> None:
    asked = Request(
        line, Kind.ORDER, fields, f"order.{fields['action']}", f"linepulse order list --line {line}"
    )
    carry_out(Settings.read(), asked, lambda _: effect, wait=not no_wait, as_json=as_json, new_line=new_line)
