"""Readings as HTML: pure, escaped by the template engine, the same for all sessions of a language."""

from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboard.models import Detail, InForce, Overview, State, Tile
from dashboard.ratios import ratios
from dashboard.store import STRIP
from dashboard.strip import strip
from dashboard.words import Words

FULL_SCALE = 1.15  # the rate's bar ends this far above the target
STALE_S = 60

ICONS = {
    State.RUNNING: '<path d="M5 3.5v9l7.5-4.5z"/>',
    State.STOPPED: '<rect x="3.5" y="3.5" width="9" height="9" rx="1"/>',
    State.PLANNED: '<path d="M4 3.5h3v9H4zM9 3.5h3v9H9z"/>',
    State.NO_SIGNAL: '<path d="M8 1.8 15 14H1zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z" fill-rule="evenodd"/>',
    State.WAITING: '<path d="M4 2.5h8v2L9 8l3 3.5v2H4v-2L7 8 4 4.5z"/>',
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fragment(name: str, words: Words, **facts: object) -> str:
    """The template of that name, filled in."""
    return _templates().get_template(f"{name}.html").render(w=words, icon=icon, **facts)


def icon(state: State) -> Markup:
    """The state's sign: one shape for each, so that colour is never the only difference."""
    return Markup(f'<svg viewBox="0 0 16 16" aria-hidden="true">{ICONS[state]}</svg>')


def tile(shown: Tile, overview: Overview, words: Words, now: datetime) -> str:
    """A line at a glance."""
    sample, shift = shown.sample, shown.shift
    rate = _rate(shown)
    target = sample.target_rate if sample is not None else None
    kpi = None if shift is None else ratios(shift.sums)
    scale = target * FULL_SCALE if target else 0.0
    return fragment(
        "tile",
        words,
        tile=shown,
        rate=rate,
        target=target,
        filled=_percent_of(rate, scale),
        mark=_percent_of(target, scale),
        kpi=kpi,
        strip=strip(shown, overview.strips.get(shown.line_id, ()), now - STRIP, now),
        stale=sample is not None and (now - sample.at).total_seconds() > STALE_S,
        now=now,
    )


def summary(overview: Overview, in_force: InForce, words: Words, now: datetime) -> str:
    """The plant in one line: how many lines stand how, and what is open."""
    states = [shown.state for shown in overview.tiles]
    return fragment(
        "summary",
        words,
        plant=in_force.plant,
        counts=[(state, states.count(state)) for state in State if state in states],
        open_alerts=sum(shown.open_alerts for shown in overview.tiles),
        now=now,
    )


def recent(overview: Overview, words: Words, now: datetime) -> dict[str, str]:
    """The latest stops and alerts of the plant."""
    return {
        "stops": fragment("stops", words, stops=overview.stops, now=now, named=True),
        "alerts": fragment("alerts", words, alerts=overview.alerts, now=now, named=True),
    }


def tables(detail: Detail, words: Words, now: datetime) -> dict[str, str]:
    """The stops, alerts and orders of a line."""
    return {
        "stops": fragment("stops", words, stops=detail.stops, now=now, named=False),
        "alerts": fragment("alerts", words, alerts=detail.alerts, now=now, named=False),
        "orders": fragment("orders", words, orders=detail.orders, now=now),
    }


def _rate(shown: Tile) -> float | None:
    """The rate now: none while nothing is heard, and 0 from a stop on, before a message says so."""
    if shown.sample is None or shown.state is State.NO_SIGNAL:
        return None
    return 0.0 if shown.stop is not None else shown.sample.rate


def _percent_of(value: float | None, scale: float) -> float:
    return round(min(100.0, max(0.0, 100 * value / scale)), 1) if value and scale else 0.0
