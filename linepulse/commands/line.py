"""`linepulse line retire`: a line that is no more, through the log."""

from typing import Annotated

import typer

from linepulse.people import send
from runtime.catalogue import tell
from runtime.settings import Settings
from schemas.raw import Kind

app = typer.Typer(
    help="Lines, through the log.\n\nExample: linepulse line retire ligne7", no_args_is_help=True
)


@app.callback()
def _lines() -> None:
    """Keeps `retire` a command of its own while it is the only one."""


@app.command()
def retire(line: Annotated[str, typer.Argument(help="The line, as in its MQTT topic: ligne1.")]) -> None:
    """End a line: no more windows; its stop, its alerts and its running order end, waiting orders stay.

    It comes back by itself when it speaks again. Example: linepulse line retire ligne7
    """
    settings = Settings.read()
    send(settings, line, Kind.STATUS, {"action": "retire"})
    print(tell(settings.lang, "line.retire", line=line))
