"""`linepulse rebuild`: the log read again, under the rules in force or under new ones."""

import asyncio
import gc
import json
import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from linepulse.errors import UserError
from linepulse.rebuild.previous import drop_old as drop_old_generations
from linepulse.rebuild.report import Report, tables_as_dict
from linepulse.rebuild.run import Asked, Found, rebuild_tables
from linepulse.rules import rules_in_database
from runtime.catalogue import tell
from runtime.narrator import quiet_libraries
from runtime.settings import Settings
from schemas.plant import PlantError, plant_text, read_plant


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
        bool, typer.Option("--drop-old", help="Only drop what replaced generations left; read nothing.")
    ] = False,
) -> None:
    """Read the raw log again, and let the rows that it gives take the place of the live ones.

    Interrupted, it goes on where it was when it is run again. The replaced tables are kept, in a schema of
    their own, until --drop-old.

    Example: linepulse rebuild --plant plant.toml --dry-run
    """
    signal.signal(signal.SIGTERM, _end)
    quiet_libraries(logging.CRITICAL)
    settings = Settings.read()
    if drop_old:
        if plant is not None or dry_run or as_json:
            raise UserError("--drop-old: drops old tables and does nothing else; leave the other options out")
        _drop(settings)
        return
    text, began = _rules(settings, plant), time.monotonic()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)

    def show(found: Found) -> None:
        if not as_json:
            Report(settings.lang).show(found, time.monotonic() - began)

    found = rebuild_tables(settings, Asked(text, workers, dry_run=dry_run, quiet=as_json), show)
    if as_json:
        tables, seconds = tables_as_dict(found.comparison), round(time.monotonic() - began, 1)
        print(json.dumps({"messages": found.messages, "seconds": seconds, "tables": tables}))


def _drop(settings: Settings) -> None:
    for generation in asyncio.run(drop_old_generations(settings)):
        print(tell(settings.lang, "rebuild.dropped", generation=generation))


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
