"""Workers that continue under replaced rules: their events are ignored, which is reported."""

import io

import pytest
from prometheus_client import REGISTRY

from runtime.narrator import Narrator
from schemas.events import SampleEvent
from sinks.superseded import SWITCH_S, Superseded
from tests.sinks.conftest import Plant
from tests.sinks.records import log, sample

TOPIC = "plant.samples"


@pytest.mark.parametrize(
    ("batches", "reports"),
    [
        #  o: older events only   n: of the live generation   -: none at all; a third of SWITCH_S apart
        ("oo", 0),
        ("ooon", 0),
        ("oooo", 1),
        ("oooooooo", 1),
        ("o--o", 1),
        ("oonooo", 0),
        ("oooonoooo", 2),
        ("nnnn", 0),
    ],
)
def test_it_is_told_once_when_it_does_not_end(batches: str, reports: int) -> None:
    """A switch takes seconds: if it lasts longer, the log lacks the record of the new rules."""
    out, now = io.StringIO(), 0.0
    superseded = Superseded(Narrator("en", out=out), clock=lambda: now)
    for what in batches:
        if what != "-":
            superseded.note(TOPIC, ignored=int(what == "o"), applied=int(what == "n"))
        now += SWITCH_S / 3
    assert out.getvalue().count("run linepulse setup".capitalize()) == reports


async def test_what_is_ignored_is_counted(plant: Plant) -> None:
    """Also beside events that are applied: none disappears uncounted."""
    sink = await plant.sink(SampleEvent)
    plant.run("""UPDATE "Generation" SET generation = 2""")
    written = await sink.write(log(sample(0), sample(1), sample(2, generation=2), sample(3), b"{"))
    assert (written.ignored, written.applied, written.rows, len(written.letters)) == (3, 1, 1, 1)
    before = REGISTRY.get_sample_value("linepulse_events_superseded_total", {"topic": TOPIC}) or 0
    Superseded(Narrator("en")).note(TOPIC, written.ignored, written.applied)
    assert REGISTRY.get_sample_value("linepulse_events_superseded_total", {"topic": TOPIC}) == before + 3
