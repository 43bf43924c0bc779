"""What machines published, as a log: the ledger, the tape, and the fold's rows. No server."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bridge.record import Delivery, destinations, record_of
from chaos.count import Count
from chaos.expected import Expected, columns, fold_tape
from chaos.ledger import Entry, Ledger, sent_at
from chaos.lines import PARIS
from chaos.machines import Machines
from chaos.message import Message
from chaos.oracle import expected_sums
from chaos.partition_tape import Taped
from chaos.sums import Stops, Sums, compare_sums
from chaos.tape import Tape
from chaos.verdict import Verdict
from plant.rules import Rules, read_plant
from runtime.settings import Settings
from schemas.instant import SECOND
from schemas.raw import Kind, RawHeaders
from sinks.tables import DOWNTIME, KPI_SNAPSHOT, PRODUCTION_DATA, PRODUCTION_ORDER, Table

TICK_S = 5
ARRIVES = 40  # ms after it was published


class Published(NamedTuple):
    """A log, and the ledger of its messages."""

    ledger: Ledger
    tape: Tape

    @property
    def end(self) -> int:
        """When the log ended, ms."""
        return max(self.tape.last_time(partition) for partition in self.tape.partitions)

    def fold(self) -> Sums:
        """The sums of the rows that the product's rules make from it."""
        tables = fold_tape(self.tape, Rules(1, read_plant("", "none")))
        try:
            return sums_of(tables)
        finally:
            for table in tables.values():
                table.close()

    def verdict(self, found: Sums) -> Verdict:
        """The oracle's verdict on these sums."""
        verdict, count = Verdict(), Count(self.ledger)
        count.tape(self.tape)
        compare_sums(expected_sums(self.ledger, count.applied(), self.end), found, self.end, verdict)
        return verdict


def machines(seed: int, messages: int, begins: int, step: int) -> Iterator[tuple[int, Message]]:
    """A message every `step` ms, of the campaign's machines, with the time at which it is published."""
    plant = Machines(seed, 6)
    for n in range(messages):
        yield begins + n * step, plant.next(begins + n * step)


@contextmanager
def published(folder: Path, messages: Iterable[tuple[int, Message]]) -> Iterator[Published]:
    """The messages as the bridge writes them, a tick every five seconds and two behind the last message.

    One that comes again is what its client sent a second time.
    """
    ledger, tape = Ledger(), Tape(Settings(_env_file=None), folder)
    ticked = now = 0
    for now, message in messages:
        known = message.n in ledger.sent
        ledger.add(Entry(message.n, "again") if known else sent_at(now, message))
        while now - ticked >= TICK_S * SECOND:
            ticked = max(ticked + TICK_S * SECOND, now // SECOND * SECOND - TICK_S * SECOND)
            _tick(tape, ticked)
        _write(tape, message, now + ARRIVES)
    for more in (1, 2):
        _tick(tape, now + more * TICK_S * SECOND)
    for part in tape._parts:
        part.close()
    yield Published(ledger, tape)


def _write(tape: Tape, message: Message, received_at: int) -> None:
    delivery = Delivery(message.topic, message.payload, 1, False, False, 1)
    place = destinations(len(tape.partitions))(message.topic)
    record = record_of(delivery, place, "bridge", 1, message.n, False, 1_000_000)
    _append(tape, record.partition, received_at, record.key, record.headers, record.value)


def _tick(tape: Tape, at: int) -> None:
    headers = RawHeaders(Kind.TICK, run=1).encode()
    for partition in tape.partitions:
        _append(tape, partition, at, None, headers, b"")


def _append(
    tape: Tape,
    partition: int,
    at: int,
    key: bytes | None,
    headers: list[tuple[str, bytes]],
    value: bytes,
) -> None:
    offset = tape.end(partition)
    at = max(at, tape.last_time(partition))
    tape._parts[partition].append(Taped(tape.topic, partition, offset, at, key, headers, value, False))


def sums_of(tables: Mapping[str, Expected]) -> Sums:
    """As `read_sums`, of expected rows."""
    sums = Sums({"ProductionData": defaultdict(dict), "KPISnapshot": defaultdict(dict)})
    for row in _rows(tables, PRODUCTION_DATA):
        days = sums.pieces["ProductionData"][row["lineId"]]
        day = _day_in_paris(row["timestamp"])
        days[day] = days.get(day, 0) + row["bottlesProduced"]
    for row in _rows(tables, KPI_SNAPSHOT):
        line, days = row["lineId"], sums.pieces["KPISnapshot"][row["lineId"]]
        days[row["day"]] = days.get(row["day"], 0) + row["pieces"]
        sums.stopped_ms[line] = sums.stopped_ms.get(line, 0) + round(row["stoppedSeconds"] * 1000)
    for row in _rows(tables, PRODUCTION_ORDER):
        sums.produced[row["lineId"]] = sums.produced.get(row["lineId"], 0) + row["produced"]
    for row in _rows(tables, DOWNTIME):
        if row["category"] != "no_signal":
            ended, ms, lasting = sums.stops.get(row["lineId"], Stops())
            over = row["endTime"] is not None
            took = round(row["duration"] * 1000) if over else 0
            sums.stops[row["lineId"]] = Stops(ended + over, ms + took, lasting + (not over))
    return sums


def _rows(tables: Mapping[str, Expected], table: Table) -> Iterable[dict[str, Any]]:
    names, of_table = columns(table), tables[table.name]
    for kept in of_table.rows.values():
        yield dict(zip(names, of_table.read(kept.position), strict=True))


def _day_in_paris(timestamp: str) -> str:
    return datetime.fromisoformat(timestamp).astimezone(PARIS).date().isoformat()
