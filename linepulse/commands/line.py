"""`linepulse line retire`: a line that is no more, through the log."""

from typing import Annotated

import typer

from linepulse.asking import Asked, NoWait, carry_out
from linepulse.rows import AsJson
from runtime.settings import Settings
from schemas.raw import Kind

app = typer.Typer(
    help="Lines, through the log.\n\nExample: linepulse line retire ligne7", no_args_is_help=True
)


@app.callback()
def _lines() -> None:
    """Keeps `retire` a command of its own while it is the only one."""


@app.command()
def retire(
    line: Annotated[str, typer.Argument(help="The line, as in its MQTT topic: ligne1.")],
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """End a line: no more windows; its stop, its alerts and its running order end, waiting orders stay.

    It comes back by itself when it speaks again. Example: linepulse line retire ligne7
    """
    from linepulse.line_state import StateChanged  # noqa: PLC0415 - slow to import

    settings = Settings.read()
    fields: dict[str, object] = {"action": "retire"}
    asked = Asked(line, Kind.STATUS, fields, "line.retire", "linepulse doctor")
    carry_out(
        settings, asked, lambda _: StateChanged(settings, line, fields), wait=not no_wait, as_json=as_json
    )
