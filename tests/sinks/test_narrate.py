"""What people read once rows are stored."""

import io

import pytest

from runtime.narrator import LINES_A_SECOND, Narrator
from schemas.events import Event
from sinks.narrate import narrate
from tests.sinks.records import alert, dead_letter, kpi, order, sample, stop

JUST_MADE = {"created_at": "2025-01-17T14:17:36.000Z", "updated_at": "2025-01-17T14:17:36.000Z"}


def told(*events: Event, lang: str = "fr") -> list[str]:
    """The lines that events give, at a moment that lasts."""
    out = io.StringIO()
    narrate(Narrator(lang, out=out, clock=lambda: 0.0), events)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (sample(1), ["✅ Données production enregistrées: 2 bouteilles, cadence 115 b/min"]),
        (sample(1, actual_rate=None), ["✅ Données production enregistrées: 2 bouteilles, cadence – b/min"]),
        (
            order(1, 2, **JUST_MADE),
            ["📦 Nouvel ordre de production créé: ORD-1 (10000 unités)", "📦 Ordre ORD-1: 2/10000 (0%)"],
        ),
        (order(1, 9999), ["📦 Ordre ORD-1: 9999/10000 (99%)"]),
        (
            order(1, 0, status="waiting", **JUST_MADE),
            ["📦 Nouvel ordre de production créé: ORD-1 (10000 unités)"],
        ),
        (order(1, 5, status="cancelled"), []),
        (kpi(1, 1), ["📈 KPIs mis à jour: TRS=82.3%"]),
        (kpi(1, 1, trs=None), []),
        (alert(1, 1, **JUST_MADE), ["🚨 Alerte Ligne 1: température 31.2 °C (seuil 30.0)"]),
        (alert(1, 1, status="resolved"), []),
        (stop(1, 1), []),
        (dead_letter(7), ["⚠️ Message écarté, Ligne 1 (plant.raw[0] n° 7): JSON invalide"]),
    ],
)
def test_an_event_is_told_as_the_guide_tells_it(event: Event, lines: list[str]):
    """Percentages are floored; what is over, or opened long ago, is not told again."""
    assert told(event) == lines


def test_a_flood_is_summed_up():
    """The first lines of a second are told, the rest counted."""
    now = [0.0]
    out = io.StringIO()
    narrator = Narrator("en", out=out, clock=lambda: now[0])
    narrate(narrator, [sample(number) for number in range(1000)])
    now[0] = 1.5
    narrate(narrator, [sample(1000)])
    lines = out.getvalue().splitlines()
    assert len(lines) == LINES_A_SECOND + 2
    assert lines[-2] == f"⏩ {1000 - LINES_A_SECOND} more lines in 2 s"
