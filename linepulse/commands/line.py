"""`linepulse line list`, `retire`, `forget`: the lines that are known, and ending one, through the log."""

import asyncio
from typing import Annotated

import typer

from linepulse.plant_time import PlantTime
from linepulse.request import NoWait, Request, carry_out
from linepulse.rows import AsJson, print_rows
from plant.rules import Rules, read_plant
from runtime.kafka import rules_in_force
from runtime.settings import Settings
from schemas.raw import Kind

app = typer.Typer(
    help="Lines: which are known, and those that are no more.\n\nExample: linepulse line list",
    no_args_is_help=True,
)


@app.command("list")
def list_lines(as_json: AsJson = False) -> None:
    """Show the lines that are known, and those that plant.toml names: their state, and when last heard.

    Example: linepulse line list
    """
    from linepulse.lines import COLUMNS, read_states, rows_of  # noqa: PLC0415 - slow to import

    settings = Settings.read()
    record = asyncio.run(rules_in_force(settings))
    rules = Rules(record.generation, read_plant(record.plant, settings.topics.rules))
    states = asyncio.run(read_states(settings, record.generation))
    print_rows(COLUMNS, rows_of(states, rules), PlantTime(rules), as_json=as_json)


@app.command()
def retire(
    line: Annotated[str, typer.Argument(help="The line, as in its MQTT topic: ligne1.")],
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """End a line: no more windows; its stop, its alerts and its running order end, waiting orders stay.

    It comes back by itself when it speaks again. Example: linepulse line retire ligne7
    """
    _carry_out("retire", line, no_wait=no_wait, as_json=as_json)


@app.command()
def forget(
    line: Annotated[str, typer.Argument(help="The line, as in its MQTT topic: ligne1.")],
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Make a line one that was never heard: as `retire`, and orders that wait are cancelled; its rows stay.

    If it speaks again, it is a new line. Example: linepulse line forget ligne7
    """
    _carry_out("forget", line, no_wait=no_wait, as_json=as_json)


def _carry_out(action: str, line: str, *, no_wait: bool, as_json: bool) -> None:
    from linepulse.line_state import StateChanged  # noqa: PLC0415 - slow to import

    settings = Settings.read()
    fields: dict[str, object] = {"action": action}
    asked = Request(line, Kind.STATUS, fields, f"line.{action}", "linepulse line list")
    carry_out(
        settings, asked, lambda _: StateChanged(settings, line, fields), wait=not no_wait, as_json=as_json
    )
