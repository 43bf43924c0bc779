"""Rows as the pipeline writes them: messages through the rules, events into PostgreSQL, without the log."""

import json
import time
from collections import defaultdict
from typing import Any

import msgspec
import psycopg

from linepulse.simulator.plant import Line
from linepulse.simulator.schedule import past
from plant.rules import Rules, read_plant
from rules.fold import Fold
from rules.row_update import RowUpdate
from schemas.events import Event
from schemas.instant import HOUR
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import LineState
from sinks.tables import ALERT, DOWNTIME, KPI_SNAPSHOT, PRODUCTION_DATA, PRODUCTION_ORDER

TABLES = {table.event: table for table in (PRODUCTION_DATA, PRODUCTION_ORDER, DOWNTIME, ALERT, KPI_SNAPSHOT)}


class Plant:
    """A migrated database, and the lines whose messages become its rows at once."""

    def __init__(self, url: str, plant_toml: str = "") -> None:
        self.url = url
        self._fold = Fold(Rules(1, read_plant(plant_toml)))
        self._states: dict[str, LineState | None] = {}
        self._offset = 0
        with psycopg.connect(url) as connection:
            connection.execute('DELETE FROM "Generation"')
            connection.execute(
                'INSERT INTO "Generation" ("generation", "plant", "live") VALUES (1, %s, true)', [plant_toml]
            )

    def data(self, line_id: str, at: int, **fields: Any) -> None:
        """A data message at `at` (ms since 1970)."""
        message = {"count": 2, "targetRate": 120, "rate": 115, "defects": 0, "running": True, **fields}
        self._write(self._apply(Kind.DATA, line_id, at, {**message, "timestamp": at}))

    def status(self, line_id: str, at: int, **fields: Any) -> None:
        """A status message."""
        self._write(self._apply(Kind.STATUS, line_id, at, {**fields, "timestamp": at}))

    def order(self, line_id: str, at: int, **fields: Any) -> None:
        """An order message."""
        self._write(self._apply(Kind.ORDER, line_id, at, {**fields, "timestamp": at}))

    def tick(self, line_id: str, at: int) -> None:
        """Time passes for a line."""
        self._write(self._apply(Kind.TICK, line_id, at, None))

    def simulate(self, lines: int, until: int, hours: float = 8, seed: int = 1) -> None:
        """A past of the simulated plant that ends at `until`."""
        start = until - int(hours * HOUR)
        machines = [Line(f"ligne{k}", seed, start) for k in range(1, lines + 1)]
        changes: list[RowUpdate] = []
        for at, machine in past(machines, start, until):
            for message in machine.advance(at):
                changes += self._apply(Kind(message.kind), machine.line_id, message.at, message.payload)
            changes += self._apply(Kind.TICK, machine.line_id, at, None)
        self._write(changes)

    def _apply(self, kind: Kind, line_id: str, at: int, message: dict[str, Any] | None) -> list[RowUpdate]:
        self._offset += 1
        headers = RawHeaders(kind, f"production/{line_id}/{kind}")
        payload = b"" if message is None else json.dumps(message).encode()
        record = RawRecord(0, self._offset, at, line_id, headers, payload)
        self._states[line_id], changes = self._fold(self._states.get(line_id), record, "production.raw")
        return changes

    def _write(self, changes: list[RowUpdate]) -> None:
        rows: dict[type[Event], list[Event]] = defaultdict(list)
        for change in {(change.kind, change.id): change for change in changes}.values():
            rows[change.kind].append(change.form())
        with psycopg.connect(self.url) as connection:
            for kind, events in rows.items():
                whole = msgspec.json.encode(events).decode()
                connection.execute(TABLES[kind].write_statement, [whole])
                sums = TABLES[kind].sums
                if sums is not None:
                    connection.execute(sums, [whole])


def now_ms() -> int:
    """Now, by the clock of the page under test."""
    return time.time_ns() // 1_000_000
