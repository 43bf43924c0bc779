"""The tables of `plant.toml`."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from plant.calendar_rules import CalendarLists, Holidays, TimeZone
from plant.log_clock import LogClock
from plant.strict import StrictRules
from schemas.payloads import Text
from schemas.state import MAX_UNDECLARED


class About(StrictRules):
    """The plant itself."""

    name: Text = "Usine"
    time_zone: TimeZone = "Europe/Paris"
    holidays: Holidays = ()
    language: Literal["fr", "en"] = "fr"
    lines_only: bool = False  # lines that the file does not name are refused
    max_lines: int = Field(2000, ge=1, le=MAX_UNDECLARED)  # undeclared lines, in each partition of the log
    new_lines_per_hour: int = Field(200, ge=1)  # once half of them are admitted


class Area(BaseModel):
    """Lines that share rules; the other keys are `LineRules` that differ from the plant's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    lines: tuple[str, ...]

    @property
    def rules(self) -> dict[str, Any]:
        """The rules that the area's lines share."""
        return self.model_extra or {}

    @model_validator(mode="after")
    def _no_name(self) -> "Area":
        if "name" in self.rules:
            raise ValueError("name: all its lines would have it; an area's name stands in its [areas.<name>]")
        return self


class Change(BaseModel):
    """Rules that hold from a point in time (the line's clock) on, for a line, an area, or all."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    since: datetime | date = Field(alias="from")
    line: str | None = None
    area: str | None = None

    @property
    def rules(self) -> dict[str, Any]:
        """The rules that change."""
        return self.model_extra or {}

    @model_validator(mode="after")
    def _for_one(self) -> "Change":
        if self.line is not None and self.area is not None:
            raise ValueError("give it a line or an area, not both")
        return self


class Plant(CalendarLists):
    """The content of `plant.toml`."""

    plant: About = About()
    line: dict[str, Any] = Field(default_factory=dict)
    areas: dict[str, Area] = Field(default_factory=dict)
    lines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    change: tuple[Change, ...] = ()
    log_clock: tuple[LogClock, ...] = ()

    @model_validator(mode="after")
    def _areas_are_there(self) -> "Plant":
        area_of: dict[str, str] = {}
        for name, area in self.areas.items():
            for line_id in area.lines:
                if line_id in area_of:
                    raise ValueError(
                        f"areas.{name}.lines: {line_id} is in area {area_of[line_id]} already;"
                        " a line is in one area, once"
                    )
                area_of[line_id] = name
        for change in self.change:
            if change.area is not None and change.area not in self.areas:
                known = ", ".join(self.areas) or "none"
                raise ValueError(
                    f"change from {change.since}.area = {change.area!r}: no such area; there is {known}"
                )
        return self
