"""The plant's rules: `plant.toml`, read, checked, and resolved for a line at a point in time.

A generation of rules is the content of one `plant.toml`: the state of every line and every row follow from
the log and from it alone.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.events import Priority
from schemas.figures import PerformanceFrom
from schemas.instant import ms_of
from schemas.payloads import MAX_QUANTITY, Text
from schemas.raw import LINE_ID
from schemas.source import SourceRules


class PlantError(ValueError):
    """`plant.toml` is wrong; the text names the key, its value and what is expected, a line each."""


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; expected a name such as Europe/Paris") from None
    return name


Ratio = Annotated[float, Field(ge=0, le=10)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Degrees = Annotated[float, Field(ge=-1e9, le=1e9)]


class About(_Rules):
    """The plant itself."""

    name: Text = "Usine"
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/Paris"
    language: Literal["fr", "en"] = "fr"


class ShiftRule(_Rules):
    """A shift by the plant's clock, [start, end); an end at or before the start is on the next day."""

    name: Text
    start: time
    end: time


class OrderRules(_Rules):
    """The order that is created when data arrives and none is waiting."""

    quantity: int = Field(10_000, ge=1, le=MAX_QUANTITY)
    product: Text = "Bouteille Standard 1L"
    priority: Priority = "medium"
    operator: Text = "Auto MQTT"


class AlertRules(_Rules):
    """When alerts open and clear. Ratios are of 1, delays in seconds of event time."""

    low_rate: Ratio = 0.80
    low_rate_clear: Ratio = 0.85
    low_rate_delay_s: Seconds = 60
    high_temperature: Degrees = 30.0
    high_temperature_clear: Degrees = 29.0
    high_temperature_delay_s: Seconds = 10
    high_defect_rate: Ratio = 0.05
    high_defect_rate_clear: Ratio = 0.04
    high_defect_rate_pieces: int = Field(100, ge=1, le=1000)
    rate_mismatch: Ratio = 0.20
    rate_mismatch_s: Seconds = Field(300, ge=10)

    @model_validator(mode="after")
    def _deadbands(self) -> "AlertRules":
        for clear, beyond in (
            ("low_rate_clear", self.low_rate_clear >= self.low_rate),
            ("high_temperature_clear", self.high_temperature_clear <= self.high_temperature),
            ("high_defect_rate_clear", self.high_defect_rate_clear <= self.high_defect_rate),
        ):
            if not beyond:
                raise ValueError(f"{clear} must lie on the quiet side of the threshold")
        return self


class LineRules(SourceRules):
    """One line's rules. Rates in pieces per minute."""

    name: Text | None = None
    target_rate: float | None = Field(None, gt=0, le=1e9)
    silence_s: float = Field(30, ge=1, le=86_400)
    accept_past_s: float = Field(7 * 86_400, ge=60, le=31 * 86_400)
    window_s: int = Field(60, ge=10, le=3600)
    performance_from: PerformanceFrom = "rate"
    order: OrderRules = OrderRules()
    alerts: AlertRules = AlertRules()


class Change(BaseModel):
    """Rules that hold from a point in time (plant's clock) on, for one line or for all."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    since: datetime | date = Field(alias="from")
    line: str | None = None


class Plant(_Rules):
    """The content of `plant.toml`."""

    plant: About = About()
    shift: tuple[ShiftRule, ...] = (
        ShiftRule(name="MATIN", start=time(6), end=time(14)),
        ShiftRule(name="APRES_MIDI", start=time(14), end=time(22)),
        ShiftRule(name="NUIT", start=time(22), end=time(6)),
    )
    line: dict[str, Any] = {}
    lines: dict[str, dict[str, Any]] = {}
    change: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _shifts_apart(self) -> "Plant":
        taken: dict[int, str] = {}
        for shift in self.shift:
            for minute in _minutes(shift):
                if taken.setdefault(minute, shift.name) != shift.name:
                    raise ValueError(f"shift {shift.name} overlaps shift {taken[minute]}")
        if len({shift.name for shift in self.shift}) != len(self.shift):
            raise ValueError("two shifts have the same name")
        return self


def _minutes(shift: ShiftRule) -> range | list[int]:
    start, end = (t.hour * 60 + t.minute for t in (shift.start, shift.end))
    return range(start, end) if start < end else [*range(start, 24 * 60), *range(end)]


class Rules:
    """One generation of rules, resolved."""

    def __init__(self, generation: int, plant: Plant) -> None:
        """Resolve the rules.

        Raises:
            PlantError: a line's rules are wrong.
        """
        self.generation = generation
        self.plant = plant
        self.time_zone = plant.plant.time_zone
        self.language = plant.plant.language
        self._zone = ZoneInfo(self.time_zone)
        named = [*plant.lines, *(change.line for change in plant.change if change.line is not None)]
        self._lines = {line_id: self._resolve(line_id) for line_id in named}
        self._others = self._resolve(None)

    def line(self, line_id: str, at: int) -> LineRules:
        """The rules of a line at a point in time (ms since 1970)."""
        starts, rules = self._lines.get(line_id, self._others)
        return rules[bisect_right(starts, at) - 1] if len(rules) > 1 else rules[0]

    def name(self, line_id: str, at: int) -> str:
        """The line's display name: `Ligne 1` for `ligne1`, or as `plant.toml` says."""
        return self.line(line_id, at).name or display_name(line_id)

    def _resolve(self, line_id: str | None) -> tuple[list[int], list[LineRules]]:
        where = f"lines.{line_id}" if line_id else "line"
        if line_id is not None and not LINE_ID.fullmatch(line_id):
            raise PlantError(f"{where}: not a line name (1 to 64 of letters, digits, '_', '-', '.')")
        known = _merge(self.plant.line, self.plant.lines.get(line_id or "", {}))
        starts, rules = [-(2**62)], [_line_rules(known, where)]
        changes = [(self._instant(c.since), c) for c in self.plant.change if c.line in (None, line_id)]
        for start, change in sorted(changes, key=lambda pair: pair[0]):
            known = _merge(known, change.model_extra or {})
            starts.append(start)
            rules.append(_line_rules(known, f"change from {change.since}"))
        return starts, rules

    def _instant(self, since: date) -> int:
        moment = since if isinstance(since, datetime) else datetime.combine(since, time())
        return ms_of(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))


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
        raise PlantError("\n".join(f"{name}: {_problem(e)}" for e in error.errors())) from None
    except PlantError as error:
        raise PlantError(f"{name}: {error}") from None
    return plant


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


def display_name(line_id: str) -> str:
    """`ligne1` -> `Ligne 1`; another name stands as it is."""
    number = line_id.removeprefix("ligne")
    return f"Ligne {number}" if number != line_id and number.isdigit() else line_id


def _line_rules(known: Mapping[str, Any], where: str) -> LineRules:
    try:
        return LineRules.model_validate(known)
    except ValidationError as error:
        raise PlantError("\n".join(f"{where}.{_problem(e)}" for e in error.errors())) from None


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _problem(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    why = error["msg"].removeprefix("Value error, ")
    value = error["input"]
    shown = f" = {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{key}{shown}: {why}" if key else why
