"""Records of a bridge that had been replaced are void: they are skipped, and that is reported."""

import io

from plant.file import Plant
from plant.rules import Rules
from rules.partition import Lines
from runtime import metrics
from runtime.narrator import Narrator
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.agent import report_void


def test_what_is_void_is_counted_and_told_once() -> None:
    """Two records of run 1 behind the fence of run 2; the partition, and how many."""
    lines = Lines(Rules(1, Plant()), "production.raw", 3)
    out = io.StringIO()
    narrator = Narrator("en", out=out)
    counted = metrics.VOID._value.get()
    for offset, run in enumerate((1, 2, 1, 1, 2)):
        lines.apply(RawRecord(3, offset, 1_000, None, RawHeaders(Kind.TICK, run=run), b""))
    for _ in range(2):
        report_void(lines, 3, narrator)
    assert metrics.VOID._value.get() - counted == 2
    assert out.getvalue().startswith("⚠️ production.raw[3]: 2 records left out")
    assert len(out.getvalue().splitlines()) == 1
