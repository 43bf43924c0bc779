"""`linepulse stop list`, `reason`, `plan`, `unplan`: stops, as people know them, through the log."""

from typing import Annotated

import typer

from linepulse.people import send
from linepulse.rows import AsJson, list_rows
from runtime.catalogue import tell
from runtime.settings import Settings
from schemas.raw import Kind

app = typer.Typer(
    help="Stops: their reasons, and those that are planned, through the log.\n\nExample: linepulse stop list",
    no_args_is_help=True,
)

Line = Annotated[str, typer.Option(help="The line, as in its MQTT topic: ligne1.")]


@app.command("list")
def list_stops(
    line: Annotated[str | None, typer.Option(help="Of this line only.")] = None,
    category: Annotated[str | None, typer.Option(help="unplanned, planned, micro or no_signal.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the stops that PostgreSQL has; those that last first.

    Example: linepulse stop list --line ligne1 --category unplanned
    """
    list_rows(Settings.read(), "list_stops", [line, line, category, category, limit], as_json=as_json)


@app.command()
def reason(
    line: Line,
    text: Annotated[str | None, typer.Argument(metavar="REASON", help="Why the line stood still.")] = None,
    stop: Annotated[str | None, typer.Option(help="Its id; without it, the open or the latest stop.")] = None,
    at: Annotated[str | None, typer.Option(help="Instead of the id: a time within the stop.")] = None,
    planned: Annotated[
        bool | None, typer.Option("--planned/--unplanned", help="Declare it planned, or not after all.")
    ] = None,
) -> None:
    """Give a stop its reason, among the line's latest 100, or declare it planned; the last word counts.

    Example: linepulse stop reason --line ligne1 "changement de format" --planned
    """
    _send(line, {"action": "reason", "stop": stop, "at": at, "reason": text, "planned": planned})


@app.command()
def plan(
    line: Line,
    start: Annotated[str, typer.Argument(help="When it begins: 2026-01-15T14:00, by the plant's clock.")],
    end: Annotated[str, typer.Argument(help="When it ends.")],
    reason: Annotated[str | None, typer.Option(help="What for.")] = None,
) -> None:
    """Announce a planned stop; prints how to take it back.

    Example: linepulse stop plan --line ligne1 2026-01-15T14:00 2026-01-15T14:30 --reason nettoyage
    """
    _send(line, {"action": "plan", "start": start, "end": end, "reason": reason})


@app.command()
def unplan(
    line: Line,
    request: Annotated[str, typer.Argument(help="What `stop plan` printed.")],
) -> None:
    """Take an announced stop back.

    Example: linepulse stop unplan --line ligne1 0b0f8d8e-6f0a-4a53-8d3d-1f9f4f5b8a01
    """
    _send(line, {"action": "unplan", "requestId": request})


def _send(line: str, fields: dict[str, object]) -> None:
    settings = Settings.read()
    request = send(settings, line, Kind.STATUS, fields)
    print(tell(settings.lang, f"stop.{fields['action']}", line=line, request=request))
