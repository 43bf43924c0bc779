"""A flood of line names beside the lines of a plant: what it costs these, and what it leaves behind.

`python -m benchmarks.names [--names 100000]` prints one JSON object. The rules alone, one partition, no
server: 20 lines that `plant.toml` names speak every two seconds; beside them a hundred other names a
second, one message each. A day later all is silent. The reference is the same run without the other names;
each has a process of its own.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

from benchmarks.gauge import peak_mib
from benchmarks.growth import EVERY_MS, START, TICK_MS, TOPIC, Log
from plant.rules import Rules, read_plant
from rules.partition import PARTITION, Lines
from runtime.batches import Batch
from schemas.events import DeadLetterEvent
from schemas.instant import DAY, HOUR, SECOND
from schemas.raw import Kind, RawHeaders
from schemas.state import encode
from streams.agent import fold_batch

NAMED = 20
A_SECOND = 100
PLANT = "".join(f"[lines.ligne{number}]\n" for number in range(NAMED))


class Run:
    """Records folded one by one, as where nothing waits: how long each takes, and what rows it makes."""

    def __init__(self) -> None:
        self.log, self.lines = Log(), Lines(Rules(1, read_plant(PLANT)), TOPIC, 0)
        self.rows: Counter[str] = Counter()
        self.most_lines = 0

    def fold(self, record: ConsumerRecord) -> float:
        """CPU time, us."""
        began = time.thread_time_ns()
        events = fold_batch(self.lines, Batch(TP(TOPIC, 0), [record], 0))
        taken = (time.thread_time_ns() - began) / 1000
        self.rows["dead letters"] += sum(isinstance(event, DeadLetterEvent) for event in events)
        self.rows["all"] += len(events)
        self.most_lines = max(self.most_lines, len(self.lines.states) - 1)
        return taken

    def stranger(self, number: int, at: int) -> ConsumerRecord:
        """The only message of a name."""
        headers = RawHeaders(Kind.DATA, f"production/x{number}/data", 1, False, False, 7, "bench", 1, 1)
        return self.log.record(at, b"x%d" % number, b'{"count":1}', headers)


def run(names: int, seconds: int) -> dict[str, Any]:
    """So many seconds of a plant, with as many other names; and what is left a day later."""
    gc.freeze()
    gc.disable()
    bench, named, ticks, strangers = Run(), list[float](), list[float](), list[float]()
    published = 0
    for turn in range(seconds * SECOND // EVERY_MS):
        at = START + turn * EVERY_MS
        named += [bench.fold(bench.log.message(line, turn, at + line)) for line in range(NAMED)]
        while published < min(names, (turn + 1) * EVERY_MS * A_SECOND // SECOND):
            strangers.append(bench.fold(bench.stranger(published, at + 500)))
            published += 1
        if turn * EVERY_MS % TICK_MS < EVERY_MS:
            ticks.append(bench.fold(bench.log.tick(at + 1000)))
    own = len(encode(bench.lines.states[PARTITION]))
    found = {
        "named_us": _quantiles(named),
        "others_us": _quantiles(strangers) if strangers else None,
        "tick_ms": {name: round(us / 1000, 1) for name, us in _quantiles(ticks).items()},
        "rows": dict(bench.rows),
        "most_lines": bench.most_lines,
        "own_entry_kib": round(own / 1024, 1),
        "peak_mib": round(peak_mib(), 1),
    }
    at, before = START + seconds * SECOND, bench.rows["all"]
    later = [at + hour * HOUR for hour in range(1, 25)] + [at + DAY + n * TICK_MS for n in range(30)]
    for moment in later:
        bench.fold(bench.log.tick(moment))
    found["rows_of_a_silent_day"] = bench.rows["all"] - before
    found["lines_a_day_later"] = len(bench.lines.states) - 1
    return found


def _quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"p50": round(ordered[len(ordered) // 2], 1), "p99": round(ordered[len(ordered) * 99 // 100], 1)}


def main() -> None:
    """Measure both, each in a process of its own."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--names", type=int, default=100_000)
    arguments.add_argument("--run", type=int, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    seconds = chosen.names // A_SECOND
    if chosen.run is not None:
        print(json.dumps(run(chosen.run, seconds)))
        return
    found: dict[str, Any] = {"benchmark": "names", "names": chosen.names}
    for name, names in (("without", 0), ("with", chosen.names)):
        words = ["-m", "benchmarks.names", "--names", str(chosen.names), "--run", str(names)]
        done = subprocess.run([sys.executable, *words], capture_output=True, check=True)
        found[name] = json.loads(done.stdout)
    with_, without = found["with"], found["without"]
    found["ratio_of_p99"] = round(with_["named_us"]["p99"] / without["named_us"]["p99"], 2)
    found["ratio_of_memory"] = round(with_["peak_mib"] / without["peak_mib"], 2)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
