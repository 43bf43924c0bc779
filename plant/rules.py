"""The plant's rules: `plant.toml`, read, checked, and resolved for a line at a point in time.

A generation of rules is the content of one `plant.toml`: the states of lines and all rows follow from it and
from the log alone.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from pydantic import ValidationError

from plant.calendar_rules import CalendarLists
from plant.civil_time import Zone
from plant.file import Change, Plant
from plant.line_rules import LineRules
from plant.log_clock import TrueTime
from plant.strict import problem
from plant.toml_lines import TomlLines
from plant.week import since_midnight
from schemas.instant import ms_of
from schemas.raw import LINE_ID

ALWAYS, NEVER = -(2**62), 2**62


class PlantError(ValueError):
    """`plant.toml` is wrong; the text names the file's line, the key, its value and what is expected."""


class Timeline(NamedTuple):
    """A line's rules, and when each begins to hold (ms since 1970)."""

    starts: list[int]
    rules: list[LineRules]


class Rules:
    """One generation of rules, resolved: a line's own override its area's, and those the plant's."""

    def __init__(self, generation: int, plant: Plant) -> None:
        """Resolve the rules.

        Raises:
            PlantError: a line's rules are wrong.
        """
        self.generation = generation
        self.plant = plant
        self.time_zone = plant.plant.time_zone
        self.language = plant.plant.language
        self.true_time = TrueTime(plant.log_clock)
        self._others = self._resolve(None, None)
        areas = {area: self._resolve(area, None) for area in plant.areas}
        self._area_of = {line_id: name for name, area in plant.areas.items() for line_id in area.lines}
        changed = [change.line for change in plant.change if change.line is not None]
        self._lines = {line_id: areas[area] for line_id, area in self._area_of.items()}
        for line_id, area in self._area_of.items():
            _require_line_name(line_id, f"areas.{area}.lines = {line_id!r}")
        for line_id in dict.fromkeys([*plant.lines, *changed]):
            _require_line_name(line_id, f"lines.{line_id}")
            self._lines[line_id] = self._resolve(self._area_of.get(line_id), line_id)

    @property
    def named(self) -> list[str]:
        """The lines that the plant file names; all others have the same rules."""
        return list(self._lines)

    def timeline(self, line_id: str | None) -> Timeline:
        """A line's rules in their order in time; None: those of a line that the file does not name."""
        return self._others if line_id is None else self._lines.get(line_id, self._others)

    def line(self, line_id: str, at: int) -> LineRules:
        """The rules of a line at a point in time (ms since 1970)."""
        starts, rules = self._lines.get(line_id, self._others)
        return rules[bisect_right(starts, at) - 1] if len(rules) > 1 else rules[0]

    def in_force(self, line_id: str, at: int) -> tuple[LineRules, int]:
        """The rules of a line at a point in time, and up to when they hold (ms since 1970)."""
        starts, rules = self._lines.get(line_id, self._others)
        following = bisect_right(starts, at)
        return rules[following - 1], starts[following] if following < len(starts) else NEVER

    def name(self, line_id: str, at: int) -> str:
        """The line's display name: `Ligne 1` for `ligne1`, or as `plant.toml` says."""
        return self.line(line_id, at).name or display_name(line_id)

    def _resolve(self, area: str | None, line_id: str | None) -> Timeline:
        """The rules of a line, of an area's other lines, or of all other lines."""
        plant = self.plant
        lists = {key: getattr(plant, key) for key in CalendarLists.model_fields}
        levels: dict[str, Mapping[str, Any]] = {
            "plant": {"time_zone": self.time_zone, "holidays": plant.plant.holidays, **lists, **plant.line},
            "area": plant.areas[area].rules if area is not None else {},
            "line": plant.lines.get(line_id or "", {}),
        }
        where = f"lines.{line_id}" if line_id else f"areas.{area}" if area else "line"
        starts, rules = [ALWAYS], [_line_rules(levels.values(), where)]
        zone = Zone(rules[0].time_zone)
        changes = [
            (_instant(change, zone), change)
            for change in plant.change
            if change.line in (None, line_id) and change.area in (None, area)
        ]
        for start, together in groupby(sorted(changes, key=lambda pair: pair[0]), lambda pair: pair[0]):
            for _, change in together:
                level = "line" if change.line else "area" if change.area else "plant"
                levels[level] = _merge(levels[level], change.rules)
                since = f"change from {change.since}"
            starts.append(start)
            rules.append(_line_rules(levels.values(), since if where == "line" else f"{where}, {since}"))
        return Timeline(starts, rules)


class RulesRecord(msgspec.Struct, frozen=True, rename="camel"):
    """A record of `production.rules`: key the generation, value this as JSON."""

    generation: int
    plant: str  # the content of plant.toml
    created_at: str


def read_plant(text: str, name: str = "plant.toml") -> Plant:
    """Read the content of a `plant.toml`.

    Raises:
        PlantError: it is not TOML, or a key or a value is wrong.
    """
    try:
        plant = Plant.model_validate(tomllib.loads(text))
        Rules(0, plant)
    except tomllib.TOMLDecodeError as error:
        raise PlantError(f"{name}: {error}") from None
    except ValidationError as error:
        raise PlantError(_placed(text, name, map(problem, error.errors()))) from None
    except PlantError as error:
        raise PlantError(_placed(text, name, str(error).splitlines())) from None
    return plant


def _placed(text: str, name: str, problems: Iterable[str]) -> str:
    """The problems, one a line, each with its line in the file if known."""
    lines = TomlLines(text)
    return "\n".join(f"{name}{f':{at}' if (at := lines.of(each)) else ''}: {each}" for each in problems)


def plant_text(path: Path) -> str:
    """The content of the plant file; empty, which means the built-in rules, where the default is missing.

    Raises:
        PlantError: the file was asked for by name and can't be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        if path == Path("plant.toml"):
            return ""
        raise PlantError(f"LINEPULSE_PLANT: no file {str(path)!r}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlantError(f"LINEPULSE_PLANT: can't read {str(path)!r}: {error}") from None


@lru_cache(maxsize=4096)
def display_name(line_id: str) -> str:
    """`ligne1` -> `Ligne 1`; another name is returned as it is."""
    number = line_id.removeprefix("ligne")
    return f"Ligne {number}" if number != line_id and number.isdigit() else line_id


def _require_line_name(line_id: str, where: str) -> None:
    if not LINE_ID.fullmatch(line_id):
        raise PlantError(f"{where}: not a line name (1 to 64 of letters, digits, '_', '-', '.')")


def _instant(change: Change, zone: Zone) -> int:
    since = change.since
    if not isinstance(since, datetime):
        return zone.instant(since.toordinal())
    if since.tzinfo is not None:
        return ms_of(since)
    return zone.instant(since.toordinal(), since_midnight(since.time()))


def _line_rules(levels: Iterable[Mapping[str, Any]], where: str) -> LineRules:
    known: dict[str, Any] = {}
    for level in levels:
        known = _merge(known, level)
    try:
        return LineRules.model_validate(known)
    except ValidationError as error:
        raise PlantError("\n".join(problem(e, where) for e in error.errors())) from None


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
