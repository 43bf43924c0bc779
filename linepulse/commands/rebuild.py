"""`linepulse rebuild`: the log read again, under the rules in force or under new ones."""

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
from linepulse.rebuild.report import Report, tables_as_dict
from linepulse.rebuild.run import Asked, rebuild_tables
from linepulse.rules import rules_in_database
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
) -> None:
    """Read the raw log again, and let the rows that it gives take the place of the live ones.

    Interrupted, it goes on where it was when it is run again.

    Example: linepulse rebuild --plant plant.toml --dry-run
    """
    signal.signal(signal.SIGTERM, _end)
    quiet_libraries(logging.CRITICAL)
    settings = Settings.read()
    text = _rules(settings, plant)
    began = time.monotonic()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    found = rebuild_tables(settings, Asked(text, workers, dry_run=dry_run, quiet=as_json))
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        tables = tables_as_dict(found.comparison)
        print(json.dumps({"messages": found.messages, "seconds": seconds, "tables": tables}))
    else:
        Report(settings.lang).show(found, seconds)


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
