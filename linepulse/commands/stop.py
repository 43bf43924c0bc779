"""`linepulse stop list`, `reason`, `plan`, `unplan`: what people know about stops, through the log."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from linepulse.effects import StopDeclared
from linepulse.outcome import Effect
from linepulse.plant_time import PlantTime
from linepulse.request import NoWait, Request, carry_out
from linepulse.rows import AsJson, list_rows
from plant.catalogue import sentence
from runtime.errors import UserError
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
    list_rows(Settings.read(), "lists.stops", [line, line, category, category, limit], as_json=as_json)


@app.command()
def reason(
    line: Line,
    text: Annotated[str | None, typer.Argument(metavar="REASON", help="Why the line stood still.")] = None,
    stop: Annotated[str | None, typer.Option(help="Its id; without it, the open or the latest stop.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="Instead of the id: a time within the stop; its start, as listed, is one."),
    ] = None,
    planned: Annotated[
        bool | None, typer.Option("--planned/--unplanned", help="Declare it planned, or not after all.")
    ] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Give a stop its reason, among the line's latest 100, or declare it planned; the last word counts.

    Example: linepulse stop reason --line ligne1 "changement de format" --planned
    """
    settings = Settings.read()

    def effect(clock: PlantTime) -> Effect:
        moment = None if at is None else clock.ms(settings, at, line, "at")
        return StopDeclared(line, stop=stop, at=moment, reason=text, planned=planned)

    fields = {"action": "reason", "stop": stop, "at": at, "reason": text, "planned": planned}
    _ask(settings, line, fields, effect, no_wait, as_json)


@app.command()
def plan(
    line: Line,
    start: Annotated[str, typer.Argument(help="When it begins: 2026-01-15T14:00, by the plant's clock.")],
    end: Annotated[str, typer.Argument(help="When it ends.")],
    reason: Annotated[str | None, typer.Option(help="What for.")] = None,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Announce a planned stop; prints how to take it back.

    Example: linepulse stop plan --line ligne1 2026-01-15T14:00 2026-01-15T14:30 --reason nettoyage
    """
    settings = Settings.read()
    fields = {"action": "plan", "start": start, "end": end, "reason": reason}

    def effect(clock: PlantTime) -> Effect:
        if clock.ms(settings, start, line, "start") >= clock.ms(settings, end, line, "end"):
            raise UserError(sentence(settings.lang, "asked.plan_ends", start=start, end=end))
        return _in_state(settings, line, fields)

    _ask(settings, line, fields, effect, no_wait, as_json)


@app.command()
def unplan(
    line: Line,
    request: Annotated[str, typer.Argument(help="What `stop plan` printed.")],
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Take an announced stop back.

    Example: linepulse stop unplan --line ligne1 0b0f8d8e-6f0a-4a53-8d3d-1f9f4f5b8a01
    """
    settings = Settings.read()
    fields = {"action": "unplan", "requestId": request}
    _ask(settings, line, fields, lambda _: _in_state(settings, line, fields), no_wait, as_json)


def _in_state(settings: Settings, line: str, fields: dict[str, Any]) -> Effect:
    from linepulse.line_state import StateChanged  # noqa: PLC0415 - slow to import

    return StateChanged(settings, line, fields)


def _ask(
    settings: Settings,
    line: str,
    fields: dict[str, Any],
    effect: Callable[[PlantTime], Effect],
    no_wait: bool,
    as_json: bool,
) -> None:
    where = f"linepulse stop list --line {line}"
    asked = Request(line, Kind.STATUS, fields, f"stop.{fields['action']}", where)
    carry_out(settings, asked, effect, wait=not no_wait, as_json=as_json)
