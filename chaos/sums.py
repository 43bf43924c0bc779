"""Compares the sums of PostgreSQL's rows by line with what was published."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg

from chaos.oracle import LineSums, Output, StoppedTime
from chaos.verdict import Verdict

LATE_MS = 60_000  # how far a machine's clock may be ahead of the log's end

BY_DAY = {
    "ProductionData": """
        SELECT "lineId", ("timestamp" AT TIME ZONE 'Europe/Paris')::date::text, sum("bottlesProduced")::bigint
        FROM "ProductionData" GROUP BY 1, 2
    """,
    "KPISnapshot": """
        SELECT "lineId", "day"::text, sum("pieces")::bigint FROM "KPISnapshot" GROUP BY 1, 2
    """,
    "KPIDay": """
        SELECT "lineId", "day"::text, sum("pieces")::bigint FROM "KPIDay" GROUP BY 1, 2
    """,
}
PRODUCED = 'SELECT "lineId", sum("produced")::bigint FROM "ProductionOrder" GROUP BY 1'
STOPS = """
    SELECT "lineId", count("endTime"), coalesce(round(sum("duration") * 1000), 0)::bigint,
        count(*) - count("endTime")
    FROM "Downtime" WHERE "category" <> 'no_signal' GROUP BY 1
"""
STOPPED = 'SELECT "lineId", round(sum("stoppedSeconds") * 1000)::bigint FROM "KPISnapshot" GROUP BY 1'


class Stops(NamedTuple):
    """Stops in `"Downtime"`: those that ended, their milliseconds, those that are open."""

    ended: int = 0
    ms: int = 0
    open: int = 0


@dataclass
class Sums:
    """The sums of rows, by line.

    Attributes:
        pieces: by table or view, line and day.
        produced: pieces of all orders.
        stops: rows of stops.
        stopped_ms: stopped time of all windows.
    """

    pieces: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    produced: dict[str, int] = field(default_factory=dict)
    stops: dict[str, Stops] = field(default_factory=dict)
    stopped_ms: dict[str, int] = field(default_factory=dict)


async def read_sums(connection: psycopg.AsyncConnection) -> Sums:
    """The sums of PostgreSQL's rows."""
    sums = Sums()
    for table, query in BY_DAY.items():
        of_table = sums.pieces.setdefault(table, defaultdict(dict))
        for line, day, pieces in await (await connection.execute(query)).fetchall():
            of_table[line][day] = pieces
    sums.produced = dict(await (await connection.execute(PRODUCED)).fetchall())
    stops = await (await connection.execute(STOPS)).fetchall()
    sums.stops = {line: Stops(*counted) for line, *counted in stops}
    sums.stopped_ms = dict(await (await connection.execute(STOPPED)).fetchall())
    return sums


def compare_sums(expected: Mapping[str, LineSums | None], found: Sums, end: int, verdict: Verdict) -> None:
    """Add to the verdict each sum that is not that of what was published.

    `end`: when the log ended, ms since 1970.
    """
    for line, of_line in expected.items():
        if of_line is None:
            verdict.count("lines for which only the rules can say what counts")
            continue
        verdict.count("lines whose pieces were added up")
        verdict.count("pieces published", of_line.made.total)
        for table, by_line in found.pieces.items():
            output = of_line.messages if table == "ProductionData" else of_line.made
            _compare_days(line, table, output, by_line.get(line, {}), verdict)
        produced = found.produced.get(line, 0)
        _compare(f"{line}: pieces in ProductionOrder", produced, of_line.made.total, verdict)
        if of_line.stopped is not None:
            verdict.count("lines whose stops were added up")
            verdict.count("stops published", of_line.stopped.stops)
            _compare_stops(line, of_line.stopped, found, end, verdict)
    for table, by_line in found.pieces.items():
        for line in by_line.keys() - expected.keys():
            verdict.summed.add(f"{line}: pieces in {table}, but none were published for it")


def _compare_days(line: str, table: str, output: Output, found: Mapping[str, int], verdict: Verdict) -> None:
    for day in sorted({*found, *output.certain, *output.possible}):
        least, most = output.bounds(day)
        _compare(f"{line}: pieces in {table} on {day}", found.get(day, 0), least, verdict, most)
    _compare(f"{line}: pieces in {table}", sum(found.values()), output.total, verdict)


def _compare_stops(line: str, stopped: StoppedTime, found: Sums, end: int, verdict: Verdict) -> None:
    stops = found.stops.get(line, Stops())
    _compare(f"{line}: stops in Downtime that ended", stops.ended, stopped.stops, verdict)
    _compare(f"{line}: stops in Downtime that last", stops.open, int(stopped.since is not None), verdict)
    _compare(f"{line}: ms of stops in Downtime", stops.ms, stopped.ms, verdict)
    least, most = stopped.bounds(end + LATE_MS)
    _compare(f"{line}: ms stopped in KPISnapshot", found.stopped_ms.get(line, 0), least, verdict, most)


def _compare(what: str, found: int, least: int, verdict: Verdict, most: int | None = None) -> None:
    if not least <= found <= (least if most is None else most):
        published = f"{least}" if most in (None, least) else f"{least} to {most}"
        verdict.summed.add(f"{what}: {found}, and {published} published")
