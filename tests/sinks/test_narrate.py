"""Lines of the narrated log about stored rows."""

import io

import pytest

from runtime.narrator import LINES_A_SECOND, Narrator
from schemas.events import Event
from sinks.narrate import narrate
from tests.sinks.records import alert, dead_letter, kpi, order, sample, stop


def narrated(*events: Event, new: bool = False) -> list[str]:
    """The lines for events, with the clock stopped; `new`: their rows did not exist before."""
    out = io.StringIO()
    added = {event.id for event in events} if new else ()
    narrate(Narrator("fr", out=out, clock=lambda: 0.0), events, added)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("event", "new", "lines"),
    [
        (sample(1), False, ["✅ Données production enregistrées: 2 bouteilles, cadence 115 b/min"]),
        (
            sample(1, actual_rate=None),
            False,
            ["✅ Données production enregistrées: 2 bouteilles, cadence – b/min"],
        ),
        (
            order(1, 2),
            True,
            ["📦 Nouvel ordre de production créé: ORD-1 (10000 unités)", "📦 Ordre ORD-1: 2/10000 (0%)"],
        ),
        (order(1, 9999), False, ["📦 Ordre ORD-1: 9999/10000 (99%)"]),
        (
            order(1, 0, status="waiting"),
            True,
            ["📦 Nouvel ordre de production créé: ORD-1 (10000 unités)"],
        ),
        (order(1, 5, status="cancelled"), False, []),
        (kpi(1, 1), True, ["📈 KPIs mis à jour: TRS=82.3%"]),
        (kpi(1, 1, trs=None), True, []),
        (alert(1, 1), True, ["🚨 Alerte Ligne 1: température 31.2 °C (seuil 30.0)"]),
        (alert(1, 1), False, []),
        (alert(1, 1, status="resolved"), True, []),
        (stop(1, 1), True, []),
        (dead_letter(7), False, ["⚠️ Message écarté, Ligne 1 (plant.raw[0] n° 7): JSON invalide"]),
    ],
)
def test_an_event_is_told_as_the_guide_tells_it(event: Event, new: bool, lines: list[str]):
    """Percentages are rounded down; an alert that ended, or was opened before, is not narrated again."""
    assert narrated(event, new=new) == lines


def test_an_order_that_is_new_is_told_so_once_however_many_of_its_events_came_together():
    """Then its progress."""
    assert narrated(order(1, 2), order(1, 4), new=True) == [
        "📦 Nouvel ordre de production créé: ORD-1 (10000 unités)",
        "📦 Ordre ORD-1: 2/10000 (0%)",
        "📦 Ordre ORD-1: 4/10000 (0%)",
    ]


def test_a_flood_is_summed_up():
    """The first lines of a second are printed, the rest are counted."""
    now = [0.0]
    out = io.StringIO()
    narrator = Narrator("en", out=out, clock=lambda: now[0])
    narrate(narrator, [sample(number) for number in range(1000)])
    now[0] = 1.5
    narrate(narrator, [sample(1000)])
    lines = out.getvalue().splitlines()
    assert len(lines) == LINES_A_SECOND + 2
    assert lines[-2] == f"⏩ {1000 - LINES_A_SECOND} more lines in 2 s"
