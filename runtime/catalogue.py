"""Sentences in French and English: one catalogue, `catalogue.toml`, for the log, the page and the rows."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((files(__package__) / "catalogue.toml").read_text("utf-8"))


def tell(lang: str, key: str, **facts: Any) -> str:
    """The sentence `section.name` in a language (`fr`, `en`), its blanks filled in.

    Raises:
        KeyError: the catalogue has no such sentence.
    """
    section, _, name = key.partition(".")
    return _catalogue()[section][name][lang].format(**facts)
