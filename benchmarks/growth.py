"""CPU time of a message in the rules, as a plant grows from 1 to 1 000 lines, and as years go by.

`python -m benchmarks.growth` prints one JSON object. The rules alone, on records as Kafka's client hands them
over, ticks among them: no server is needed. Each record is a batch of its own, as where nothing waits, so all
of its rows are formed. The reference of each row is the first one.
"""

import gc
import json
import statistics
import time
from collections.abc import Iterator, Sequence

from aiokafka import ConsumerRecord
from faust.types import TP

from plant.rules import Rules, read_plant
from rules.partition import PARTITION, Lines
from runtime.batches import Batch
from schemas.instant import DAY, SECOND, text_of
from schemas.raw import Kind, RawHeaders
from schemas.state import encode
from streams.agent import fold_batch

TOPIC = "production.raw"
LINE_COUNTS = (1, 20, 1000)
YEARS = (0, 1)
MESSAGES = 20_000
TOGETHER = 2500  # messages that are timed at once: of 1 000 lines, what comes between two ticks
AT_FIRST = 500
EVERY_MS = 2 * SECOND
TICK_MS = 5 * SECOND
SPARSE_MS = 600 * SECOND  # years pass with a message every ten minutes
START = 1_770_000_000_000
PLANT = "[line]\nsilence_s = 1200\n[line.order]\nquantity = 2000\n"
AGAIN = 2
Row = dict[str, float]


class Log:
    """A partition's records, one after the other."""

    def __init__(self) -> None:
        self._offset = 0

    def message(self, line: int, turn: int, at: int) -> ConsumerRecord:
        """Each line stops for a moment now and then."""
        runs = turn % 97 > 2
        value = b'{"count":%d,"targetRate":120,"rate":115.5,"defects":%d,"running":%s,"timestamp":"%s"}' % (
            4 if runs else 0,
            turn % 50 == 0 and runs,
            b"true" if runs else b"false",
            text_of(at).encode(),
        )
        headers = RawHeaders(Kind.DATA, f"production/ligne{line}/data", 1, False, False, 7, "bench", 1, 1)
        return self.record(at + 40, f"ligne{line}".encode(), value, headers)

    def tick(self, at: int) -> ConsumerRecord:
        """As the bridge sends it every five seconds."""
        return self.record(at, None, b"", RawHeaders(Kind.TICK, run=1))

    def record(self, at: int, key: bytes | None, value: bytes, headers: RawHeaders) -> ConsumerRecord:
        self._offset += 1
        coded = tuple(headers.encode())
        return ConsumerRecord(TOPIC, 0, self._offset - 1, at, 0, key, value, None, 0, len(value), coded)


def records(log: Log, lines: int, messages: int, start: int, every: int) -> Iterator[ConsumerRecord]:
    """So many messages of so many lines, each line one `every` ms, and the ticks between them."""
    ticked = start
    for number in range(messages):
        turn, line = divmod(number, lines)
        at = start + turn * every + line * every // lines
        while every <= TICK_MS and at - ticked >= TICK_MS:
            ticked += TICK_MS
            yield log.tick(ticked)
        yield log.message(line, turn, at)


def apply(lines: Lines, some: Sequence[ConsumerRecord]) -> float:
    """CPU seconds a message, the median of stretches: others use the machine, too."""
    taken, messages, began = [], 0, time.thread_time()
    for record in some:
        fold_batch(lines, Batch(TP(TOPIC, 0), [record], 0))
        messages += record.key is not None
        if messages == TOGETHER:
            now = time.thread_time()
            taken.append((now - began) / TOGETHER)
            messages, began = 0, now
    return statistics.median(taken) if taken else 0.0


def by_lines(count: int) -> Row:
    """A plant of so many lines in one partition."""
    log, lines = Log(), Lines(Rules(1, read_plant(PLANT)), TOPIC, 0)
    apply(lines, list(records(log, count, 2 * count, START, EVERY_MS)))
    some = list(records(log, count, MESSAGES, START + 2 * EVERY_MS, EVERY_MS))
    return {"lines": count, "cpu_us_per_message": round(apply(lines, some) * 1e6, 1)}


def by_age(years: int) -> Row:
    """A line after so many years."""
    log, lines = Log(), Lines(Rules(1, read_plant(PLANT)), TOPIC, 0)
    long = max(AT_FIRST, years * 365 * DAY // SPARSE_MS)
    apply(lines, list(records(log, 1, long, START, SPARSE_MS)))
    some = list(records(log, 1, MESSAGES, START + long * SPARSE_MS, EVERY_MS))
    taken = apply(lines, some) * 1e6
    state = max(len(encode(state)) for name, state in lines.states.items() if name != PARTITION)
    return {"years": years, "cpu_us_per_message": round(taken, 1), "state_kib": round(state / 1024, 1)}


def best(rows: list[Row]) -> Row:
    """The quickest of the same measurement made again."""
    return min(rows, key=lambda row: row["cpu_us_per_message"])


def main() -> None:
    """Measure."""
    gc.freeze()
    gc.disable()
    lines = [best([by_lines(count) for _ in range(AGAIN)]) for count in LINE_COUNTS]
    years = [best([by_age(years) for _ in range(AGAIN)]) for years in YEARS]
    for rows in (lines, years):
        for row in rows:
            row["ratio"] = round(row["cpu_us_per_message"] / rows[0]["cpu_us_per_message"], 2)
    print(json.dumps({"benchmark": "growth", "lines": lines, "years": years}, indent=2))


if __name__ == "__main__":
    main()
