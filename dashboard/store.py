"""Reads PostgreSQL: one connection, for the one reader that all visitors share."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dashboard.models import (
    AlertRow,
    CurvePoint,
    Detail,
    OrderRow,
    Overview,
    PageRules,
    Sample,
    Shift,
    StageRow,
    StopRow,
    Sums,
    Tile,
)
from dashboard.timestamps import AnyTimestamp
from plant.rules import PlantError, Rules, read_plant
from runtime.sql import statement

CONNECT_S = 3
STATEMENT_MS = 3000
FROZEN_MS = 10_000  # a page that is frozen in the middle of a reading must not hold up a swap
OPTIONS = (
    f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS} -c timezone=UTC"
    f" -c idle_in_transaction_session_timeout={FROZEN_MS} -c jit=off"
)
TIMELINE = timedelta(hours=1)
CURVE = timedelta(hours=8)
CURVE_STEP = timedelta(minutes=10)
LATEST = 30  # rows of each table of a line
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
RECENT = 8  # rows of each table of the plant
MOST_TILES = 500  # beside the lines that the rules name: with many more, the page would be too slow

Row = dict[str, Any]


class Store:
    """A read-only connection, opened when it is first needed, and again after it broke."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._generation: int | None = None
        self._page_rules = PageRules()

    async def now(self) -> datetime:
        """PostgreSQL's time; within `reading`, the time at which that began.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
        """
        [row] = await self._rows("page.clock")
        at: datetime = row["now"]
        return at

    async def stages(self) -> list[StageRow]:
        """The progress of the pipeline's stages.

        Raises:
            psycopg.Error: PostgreSQL does not answer, or lacks our tables.
        """
        rows = await self._rows("stages.all")
        return [StageRow(row["stage"], row["movedAt"], row["seenAt"], row["logTime"]) for row in rows]

    async def overview(
        self, now: datetime, gone: datetime = LONG_AGO, watched: Iterable[str] = ()
    ) -> Overview:
        """All lines at a glance, without those that were last heard before `gone` and have no open stop.

        Shown are all lines that the rules name or that are `watched`, and at most MOST_TILES others.

        Raises:
            psycopg.Error: PostgreSQL does not answer, or lacks our tables.
        """
        first = [*self._page_rules.rules.named, *watched]
        most = MOST_TILES + len(first)
        reach = self._page_rules.reach
        rows = await self._rows(
            "page.overview", since=now - TIMELINE, gone=gone, reach=reach, first=first, most=most
        )
        tiles = sorted(map(_tile, rows), key=lambda tile: natural(tile.line_id))
        timelines: dict[str, list[StopRow]] = {}
        lines = [tile.line_id for tile in tiles]
        for row in await self._rows("page.timelines", lines=lines, since=now - TIMELINE):
            timelines.setdefault(row["lineId"], []).append(_stop(row))
        return Overview(
            tuple(tiles),
            {line_id: tuple(stops) for line_id, stops in timelines.items()},
            tuple(_stop(row) for row in await self._rows("page.recent_stops", lines=lines, limit=RECENT)),
            tuple(_alert(row) for row in await self._rows("page.recent_alerts", lines=lines, limit=RECENT)),
            more=rows[0]["lines"] - len(rows) if rows else 0,
        )

    async def detail(self, line_id: str, now: datetime) -> Detail:
        """One line in full.

        Raises:
            psycopg.Error: PostgreSQL does not answer, or lacks our tables.
        """
        since = now - CURVE
        since -= timedelta(
            minutes=since.minute % (CURVE_STEP.seconds // 60),
            seconds=since.second,
            microseconds=since.microsecond,
        )
        curve = await self._rows("page.curve", line=line_id, since=since, step=CURVE_STEP)
        return Detail(
            tuple(CurvePoint(row["start"], _sums(row)) for row in curve),
            tuple(_stop(row) for row in await self._rows("page.stops", line=line_id, limit=LATEST)),
            tuple(_alert(row) for row in await self._rows("page.alerts", line=line_id, limit=LATEST)),
            tuple(_order(row) for row in await self._rows("page.orders", line=line_id, limit=LATEST)),
        )

    async def page_rules(self) -> PageRules:
        """What the page needs of the rules in force; the defaults where `setup` has written none."""
        rows = await self._rows("generation.live_rules")
        generation, text = (rows[0]["generation"], rows[0]["plant"]) if rows else (0, "")
        if generation != self._generation:
            self._page_rules = _page_rules(text)
            self._generation = generation
        return self._page_rules

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read one generation throughout the block: a swap waits until its end.

        Raises:
            psycopg.Error: PostgreSQL does not answer.
        """
        connection = await self._connected()
        async with connection.transaction():
            yield

    async def close(self) -> None:
        """Close the connection; the next read opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _rows(self, name: str, **arguments: Any) -> list[Row]:
        cursor = await (await self._connected()).execute(statement(name), arguments)
        return await cursor.fetchall()

    async def _connected(self) -> psycopg.AsyncConnection[Row]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=CONNECT_S,
                application_name="linepulse dashboard",
                options=OPTIONS,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=2,
            )
            self._connection.adapters.register_loader("timestamptz", AnyTimestamp)
        return self._connection


def natural(line_id: str) -> tuple[str, int, str]:
    """A sort key that puts ligne2 before ligne10."""
    letters = line_id.rstrip("0123456789")
    digits = line_id[len(letters) :]
    return letters, int(digits or 0), line_id


def _page_rules(text: str) -> PageRules:
    try:
        plant = read_plant(text)
    except PlantError:  # written by another release; what the page needs of it has defaults
        plant = read_plant("")
    return PageRules(plant.plant.name, plant.plant.time_zone, Rules(0, plant))


def _tile(row: Row) -> Tile:
    return Tile(
        line_id=row["lineId"],
        name=row["line"],
        sample=None if row["timestamp"] is None else _sample(row),
        stop=None
        if row["stopStart"] is None
        else StopRow(row["stopStart"], None, None, row["category"], row["reason"], row["line"]),
        order=None if row["orderNumber"] is None else _order(row),
        shift=None
        if row["runningSeconds"] is None
        else Shift(row["shiftId"], row["shiftDate"], _sums({**row, "defects": row["shiftDefects"]})),
        open_alerts=row["openAlerts"],
        worst=row["worst"],
        heard_since=row["heardSince"],
        updated_at=row["updatedAt"],
    )


def _sample(row: Row) -> Sample:
    return Sample(
        row["timestamp"],
        row["actualRate"],
        row["targetRate"],
        row["isRunning"],
        row["temperature"],
        row["pressure"],
        row["receivedAt"],
    )


def _sums(row: Row) -> Sums:
    return Sums(
        row["runningSeconds"],
        row["stoppedSeconds"],
        row["pieces"],
        row["defects"],
        row["theoreticalOutput"],
        row["realOutput"],
    )


def _stop(row: Row) -> StopRow:
    return StopRow(
        row["startTime"], row["endTime"], row["duration"], row["category"], row["reason"], row["line"]
    )


def _alert(row: Row) -> AlertRow:
    return AlertRow(
        row["type"],
        row["severity"],
        row["message"],
        row["value"],
        row["threshold"],
        row["status"],
        row["startedAt"],
        row["resolvedAt"],
        row["line"],
    )


def _order(row: Row) -> OrderRow:
    return OrderRow(
        row["orderNumber"],
        row["productType"],
        row["quantity"],
        row["produced"],
        row["defects"],
        row["status"],
        row["priority"],
        row["operator"],
        row["startTime"],
        row["estimatedEndTime"],
        row["endTime"],
    )
