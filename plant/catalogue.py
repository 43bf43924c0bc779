"""Sentences in French and English from `catalogue.toml`: for the narrated log, the page and rows."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from schemas.data import MEASURES
from schemas.errors import Poison


@cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((files(__package__) / "catalogue.toml").read_text("utf-8"))


def sentence(lang: str, key: str, **facts: Any) -> str:
    """The sentence of the key `section.name` in a language (`fr`, `en`), with `facts` filled in.

    Raises:
        KeyError: the catalogue has no such sentence.
    """
    section, _, name = key.partition(".")
    return _catalogue()[section][name][lang].format(**facts)


def refusal(lang: str, poison: Poison) -> str:
    """The sentence that says why a message is refused, and what was expected instead."""
    facts = dict(poison.facts)
    if poison.reason == "bad_field":
        field = facts["field"]
        expected = facts.get("expected", MEASURES.get(field, field))
        facts["expected"] = sentence(lang, f"expected.{expected}", **facts)
    return sentence(lang, f"poison.{poison.reason}", **facts)
