"""Renders readings as HTML: pure functions, escaped by the template engine, equal for all visitors of a
language."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboard.models import Detail, Overview, State, Tile
from dashboard.moment import Moment
from dashboard.ratios import ratios
from dashboard.store import TIMELINE
from dashboard.timeline import timeline
from dashboard.words import Words
from runtime.text import plain

FULL_SCALE = 1.15  # the rate's bar ends this far above the target
STALE_S = 60

Form = Callable[[], str]

ICONS = {
    State.RUNNING: '<path d="M5 3.5v9l7.5-4.5z"/>',
    State.STOPPED: '<rect x="3.5" y="3.5" width="9" height="9" rx="1"/>',
    State.PLANNED: '<path d="M4 3.5h3v9H4zM9 3.5h3v9H9z"/>',
    State.NO_SIGNAL: '<path d="M8 1.8 15 14H1zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z" fill-rule="evenodd"/>',
    State.NO_DATA: '<path d="M4.2 5.6C4.2 3.3 5.9 2 8 2s3.8 1.3 3.8 3.4c0 2.8-2.7 2.7-2.7 5H6.9c0-3.5 2.6-3.4'
    ' 2.6-5 0-.8-.6-1.3-1.5-1.3s-1.5.6-1.5 1.5zM6.8 11.8h2.4v2.4H6.8z"/>',
    State.WAITING: '<path d="M4 2.5h8v2L9 8l3 3.5v2H4v-2L7 8 4 4.5z"/>',
}


def _text(value: object) -> object:
    """A value for a template; in texts, control characters are made visible, as in the log."""
    return plain(value) if type(value) is str else value


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_text,
    )


def fragment(name: str, words: Words, **facts: object) -> str:
    """The template of that name, filled in."""
    return _templates().get_template(f"{name}.html").render(w=words, icon=icon, **facts)


def icon(state: State) -> Markup:
    """The state's icon: each has a shape of its own, so that colour is never the only difference."""
    return Markup(f'<svg viewBox="0 0 16 16" aria-hidden="true">{ICONS[state]}</svg>')


def tile(shown: Tile, overview: Overview, words: Words, moment: Moment) -> str:
    """A line at a glance: figures only if they are current."""
    state, now = moment.state(shown), moment.now
    sample = shown.sample
    live = moment.is_live(shown)
    rate = _rate(shown, state, live)
    target = sample.target_rate if sample is not None and state is not State.NO_DATA else None
    kpi = None if shown.shift is None or state is State.NO_DATA else ratios(shown.shift.sums)
    scale = target * FULL_SCALE if target else 0.0
    return fragment(
        "tile",
        words,
        tile=shown,
        state=state,
        live=live,
        rate=rate,
        target=target,
        filled=_percent_of(rate, scale),
        mark=_percent_of(target, scale),
        kpi=kpi,
        timeline=timeline(shown, overview.timelines.get(shown.line_id, ()), now - TIMELINE, now),
        last=sample.at if sample is not None and (now - sample.at).total_seconds() > STALE_S else None,
        quiet=moment.without_news_since(shown),
        now=now,
    )


def failed_tile(shown: Tile, words: Words) -> str:
    """The replacement for a tile that can't be rendered."""
    return fragment("failed_tile", words, tile=shown)


def summary(tiles: Sequence[Tile], words: Words, moment: Moment) -> str:
    """The plant in one row: how many lines are in each state, and how many alerts are open."""
    states = [moment.state(shown) for shown in tiles]
    return fragment(
        "summary",
        words,
        plant=moment.page_rules.plant,
        counts=[(state, states.count(state)) for state in State if state in states],
        open_alerts=sum(shown.open_alerts for shown in tiles),
        now=moment.now,
    )


def more(overview: Overview, words: Words) -> str:
    """A notice that further lines are not shown; empty if all are."""
    return fragment("more", words, count=overview.more) if overview.more else ""


def recent(overview: Overview, words: Words, now: datetime) -> dict[str, Form]:
    """The latest stops and alerts of the plant."""
    return {
        "stops": lambda: fragment("stops", words, stops=overview.stops, now=now, named=True),
        "alerts": lambda: fragment("alerts", words, alerts=overview.alerts, now=now, named=True),
    }


def tables(detail: Detail, words: Words, now: datetime) -> dict[str, Form]:
    """The stops, alerts and orders of a line."""
    return {
        "stops": lambda: fragment("stops", words, stops=detail.stops, now=now, named=False),
        "alerts": lambda: fragment("alerts", words, alerts=detail.alerts, now=now, named=False),
        "orders": lambda: fragment("orders", words, orders=detail.orders, now=now),
    }


def _rate(shown: Tile, state: State, live: bool) -> float | None:
    """The rate to show: None without signal, 0 from the stop on, even before a message says so."""
    if shown.sample is None or state is State.NO_SIGNAL:
        return None
    if shown.stop is not None:
        return 0.0
    return shown.sample.rate if live else None


def _percent_of(value: float | None, scale: float) -> float:
    return round(min(100.0, max(0.0, 100 * value / scale)), 1) if value and scale else 0.0
