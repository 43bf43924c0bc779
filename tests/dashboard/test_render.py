"""Readings as HTML, without a browser."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from dashboard import render
from dashboard.models import (
    AlertRow,
    Detail,
    OrderRow,
    Overview,
    PageRules,
    Sample,
    Shift,
    State,
    StopRow,
    Sums,
    Tile,
)
from dashboard.moment import Halt, Moment, Pipeline
from dashboard.words import Words

NOON = datetime(2025, 1, 17, 12, 0, tzinfo=UTC)
FR, EN = Words("fr", "Europe/Paris"), Words("en", "Europe/Paris")
OF_NOW = ("111", "21,5 °C", "objectif 120", "fin vers", "En marche")
EVIL = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ 7*7 }}{% raw %}",
    "\x1b[2J\x00\r\n\u202e",
    "</td></tr></table><style>*{display:none}</style>",
    "&lt;b&gt; &amp; \ud800",
)


def plant(text: str, category: str | None = None) -> Tile:
    """A line whose every text is `text`."""
    order = OrderRow(text, text, 100, 40, 0, text, text, text, NOON, NOON + timedelta(hours=1), None)
    return Tile(
        "ligne1",
        text,
        Sample(NOON, 111, 120, True, 21.5, 2.0, NOON),
        None if category is None else StopRow(NOON, None, None, category, text, text),
        order,
        Shift(text, NOON.date(), Sums(60, 0, 100, 0, 120, 115)),
        1,
        text,
        NOON,
    )


def shown(tile: Tile, after: float = 0, pipeline: Pipeline | None = None, words: Words = FR) -> str:
    moment = Moment(NOON + timedelta(seconds=after), PageRules(), pipeline or Pipeline())
    return render.tile(tile, Overview((tile,)), words, moment)


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_line_that_tells_its_status_alone_is_not_said_to_be_silent():
    """It runs, and has no figures."""
    html = shown(dataclasses.replace(plant("Eau"), sample=None, updated_at=NOON))
    assert ' class="state running"' in html
    assert "aucun message" not in text_of(html)
    assert "21,5" not in text_of(html)
    waiting = shown(dataclasses.replace(plant("Eau"), sample=None, shift=None))
    assert "aucun message" in text_of(waiting)


def test_a_line_without_data_shows_no_figure_of_now():
    """An icon, a word and a class of its own; no rate, no target, no temperature, no estimated end."""
    before, after = shown(plant("Eau")), shown(plant("Eau"), 31)
    assert ' class="state running"' in before
    assert [part for part in OF_NOW if part not in text_of(before)] == []
    assert ' class="state no_data"' in after
    assert "aucune donnée depuis 13:00" in text_of(after)
    assert [part for part in OF_NOW if part in text_of(after)] == []
    assert "no data since 13:00" in text_of(shown(plant("Eau"), 31, words=EN))


def test_a_stop_that_nobody_hears_of_says_so():
    """It remains a stop; beside it stands since when nothing is known of the line."""
    halted = Pipeline(Halt("streams", NOON))
    assert "aucune donnée" not in shown(plant("Eau", "unplanned"), 60)
    html = shown(plant("Eau", "unplanned"), 60, halted)
    assert ' class="state stopped"' in html
    assert "aucune donnée depuis 13:00" in text_of(html)


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("category", [None, "unplanned"])
def test_every_text_is_only_text(text: str, category: str | None):
    """Whatever a machine or a person wrote: the page has the same elements and attributes, and no more."""

    def markup(html: str) -> list[str]:
        kept = re.sub(r'(class="alerts )[^"]*', r"\1", html)  # a code of ours, which is a text here
        return [re.sub(r'aria-label="[^"]*"', "", part) for part in re.findall(r"<[^>]*>", kept)]

    def all_of(text: str) -> str:
        stop = StopRow(NOON, NOON, 5.0, text, text, text)
        alert = AlertRow(text, text, text, None, None, text, NOON, NOON, text)
        tile = plant(text, category)
        assert tile.order is not None
        forms = {
            **render.recent(Overview((tile,), stops=(stop,), alerts=(alert,)), FR, NOON),
            **{
                f"line {k}": f
                for k, f in render.tables(Detail((), (stop,), (alert,), (tile.order,)), FR, NOON).items()
            },
        }
        moment = Moment(NOON, PageRules(plant=text))
        parts = [shown(tile), render.failed_tile(tile, FR), render.summary([tile], FR, moment)]
        return "".join([*parts, *(form() for form in forms.values())])

    html = all_of(text)
    assert markup(re.sub(r'(class="severity )[^"]*', r"\1", html)) == markup(
        re.sub(r'(class="severity )[^"]*', r"\1", all_of("x"))
    )
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\ud800]", html)


def test_every_state_has_a_sign_a_word_and_a_colour():
    """In both languages: colour is never the only difference."""
    css = (render.__file__).replace("render.py", "assets/page.css")
    with open(css, encoding="utf-8") as file:
        rules = file.read()
    assert set(render.ICONS) == set(State)
    assert len(set(render.ICONS.values())) == len(State)
    for state in State:
        assert FR.t(f"state_{state}") != EN.t(f"state_{state}")
        assert f".state.{state}" in rules
        assert f"--{state}:" in rules


def test_lines_that_are_not_shown_are_counted():
    """If there are too many; otherwise there is no notice."""
    assert render.more(Overview(), EN) == ""
    assert "6,705 more lines are not shown" in render.more(Overview(more=6705), EN)


def test_a_summary_counts_what_is_shown():
    """A line whose last message is too old does not count as running."""
    tiles = [plant("a"), dataclasses.replace(plant("b"), stop=StopRow(NOON, None, None, "no_signal", None))]
    moment = Moment(NOON + timedelta(seconds=31), PageRules())
    assert "1 Sans signal 1 Sans données" in text_of(render.summary(tiles, FR, moment))
