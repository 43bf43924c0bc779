"""The narrated log: a line per event at a plant's pace, a summary per second in a flood."""

import io
import json
import logging
import string
import tomllib
from importlib.resources import files

import pytest

from plant.catalogue import sentence
from runtime.narrator import LINES_A_SECOND, Narrator, OnceASecond


class Time:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_past_twenty_lines_a_second_the_rest_is_summed_up():
    """Once a second, with their number."""
    out, time = io.StringIO(), Time()
    narrator = Narrator("fr", out=out, clock=time)
    for n in range(500):
        narrator.event("bridge.received", topic="production/ligne1/data", payload=n)
    assert len(out.getvalue().splitlines()) == LINES_A_SECOND
    time.now += 1
    narrator.event("bridge.received", topic="production/ligne1/data", payload="last")
    lines = out.getvalue().splitlines()
    assert lines[LINES_A_SECOND] == "⏩ 480 autres lignes en 1 s"
    assert lines[-1] == "📥 Message reçu sur production/ligne1/data: last"


def test_json_lines_hold_the_facts():
    """For programs that read logs."""
    out = io.StringIO()
    Narrator("fr", "json", "sinks", out).say("sinks.kpi", trs="82.3")
    line = json.loads(out.getvalue())
    assert (line["role"], line["key"], line["trs"]) == ("sinks", "sinks.kpi", "82.3")


def sentences() -> list[tuple[str, dict[str, str]]]:
    catalogue = tomllib.loads((files("plant") / "catalogue.toml").read_text("utf-8"))
    return [
        (f"{section}.{name}", told) for section, names in catalogue.items() for name, told in names.items()
    ]


@pytest.mark.parametrize(("key", "told"), sentences(), ids=[key for key, _ in sentences()])
def test_every_sentence_is_in_both_languages_with_the_same_blanks(key, told):
    """Nobody reads half a page."""
    assert set(told) == {"fr", "en"}
    blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in told.values()]
    assert blanks[0] == blanks[1]
    assert sentence("fr", key, **dict.fromkeys(blanks[0], 0)) is not None


def test_a_library_that_repeats_itself_is_heard_once_a_second():
    """Another message, and a traceback, are logged at once."""
    now = 100.0
    once = OnceASecond(lambda: now)

    def passes(text: str, error: bool = False) -> bool:
        raised = (ValueError, ValueError(), None) if error else None
        return once.filter(logging.LogRecord("aiokafka", logging.ERROR, "", 0, text, (), raised))

    assert [passes("no"), passes("no"), passes("other"), passes("no", error=True)] == [
        True,
        False,
        True,
        True,
    ]
    now += 1.0
    assert passes("no")
