"""`linepulse rebuild`: the log read again, under the rules in force or under new ones."""

import asyncio
import json
import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from linepulse.rebuild_report import Report, tables_as_dict
from plant.catalogue import sentence
from plant.rules import PlantError, plant_text, read_plant
from rebuild import other_generations
from rebuild.steps import RebuildRequest, RebuildResult, rebuild_tables
from rebuild.workers import OBJECTS
from runtime.errors import UserError
from runtime.narrator import quiet_libraries
from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings
from runtime.worker import spare_the_collector


def rebuild(
    plant: Annotated[
        Path | None, typer.Option(help="The next rules; without it, those in force.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, and nothing else.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the partitions.")] = 1,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Only drop what is kept of generations before the live one.")
    ] = False,
) -> None:
    """Read the raw log again, and let the rows that it gives take the place of the live ones.

    Interrupted, it goes on where it was when it is run again. The tables that were live are kept beside the
    new ones, until --drop-old.

    Example: linepulse rebuild --plant plant.toml --dry-run
    """
    signal.signal(signal.SIGTERM, _end)
    quiet_libraries(logging.CRITICAL)
    settings = Settings.read()
    if drop_old:
        _drop_old(settings, alone=plant is None and not dry_run and not as_json)
        return
    text = _rules(settings, plant)
    began = time.monotonic()
    spare_the_collector(OBJECTS)

    def show(found: RebuildResult) -> None:
        if not as_json:
            Report(settings.lang).show(found, round(time.monotonic() - began, 1))

    found = rebuild_tables(settings, RebuildRequest(text, workers, dry_run=dry_run, quiet=as_json), show)
    if as_json:
        tables, seconds = tables_as_dict(found.comparison), round(time.monotonic() - began, 1)
        print(json.dumps({"messages": found.messages, "seconds": seconds, "tables": tables}))


def _drop_old(settings: Settings, *, alone: bool) -> None:
    if not alone:
        raise typer.BadParameter("--drop-old goes alone: it reads no log")
    dropped = asyncio.run(other_generations.drop_old(settings))
    for generation in dropped:
        print(sentence(settings.lang, "takeover.dropped", generation=generation))
    if not dropped:
        print(sentence(settings.lang, "takeover.nothing_old"))


def _rules(settings: Settings, plant: Path | None) -> str:
    in_force = rules_in_database(settings.database_url)
    if in_force is None:
        raise UserError("the database has no rules yet; run linepulse setup")
    if plant is None:
        return in_force.plant
    if not plant.is_file():
        raise PlantError(f"--plant: no file {str(plant)!r}")
    text = plant_text(plant)
    read_plant(text, str(plant))
    return text


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends it as Ctrl-C does."""
    raise KeyboardInterrupt
