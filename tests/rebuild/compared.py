"""PostgreSQL beside the pure fold over the whole raw log, row by row."""

from pathlib import Path

import psycopg

from chaos.expected import digest, fold_tape
from chaos.rows import rows
from chaos.settled import settled
from chaos.tape import Tape
from plant.rules import Rules, read_plant
from runtime.settings import Settings
from sinks.tables import TABLES

Differences = dict[str, dict[str, list[str]]]


async def differences(
    settings: Settings, folder: Path, plant: str, generation: int, seconds: float = 90
) -> Differences:
    """Wait until everything that the log holds is applied, then return what differs, by table.

    The bridge must not run.
    """
    async with Tape(settings, folder / "tape") as tape:
        await tape.caught_up()
        await settled(settings, tape, seconds)
        expected = fold_tape(tape, Rules(generation, read_plant(plant)))
        found: Differences = {}
        async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
            for table in TABLES:
                wanted = {row_id: kept.digest for row_id, kept in expected[table.name].rows.items()}
                there = {row[0]: digest(row) async for row in rows(connection, table)}
                parts = {
                    "missing": [row_id for row_id in wanted if row_id not in there],
                    "too many": [row_id for row_id in there if row_id not in wanted],
                    "different": [i for i in wanted if i in there and there[i] != wanted[i]],
                }
                assert wanted or table.name in ("DeadLetter", "Alert", "Downtime"), f"no {table.name} at all"
                if any(parts.values()):
                    found[table.name] = parts
                expected[table.name].close()
    return found
