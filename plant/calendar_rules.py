"""The calendar's rules in `plant.toml`: shifts, opening times, planned stops, holidays."""

from collections import Counter
from datetime import date, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from plant.strict import StrictRules
from plant.week import OpeningRule, PlannedRule, ShiftRule, overlap, union, weekday, within


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; expected a name such as Europe/Paris") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
Holidays = Annotated[tuple[date, ...], Field(max_length=1000)]  # closed, from midnight to midnight


class CalendarLists(StrictRules):
    """The lists that a plant, an area or a line may have; a line's own list replaces a more general one."""

    shift: tuple[ShiftRule, ...] = Field(
        (
            ShiftRule(name="MATIN", start=time(6), end=time(14)),
            ShiftRule(name="APRES_MIDI", start=time(14), end=time(22)),
            ShiftRule(name="NUIT", start=time(22), end=time(6)),
        ),
        max_length=100,
    )
    opening: tuple[OpeningRule, ...] = Field((), max_length=100)  # none: always open
    planned: tuple[PlannedRule, ...] = Field((), max_length=100)

    @field_validator("shift")
    @classmethod
    def _shifts_apart(cls, shifts: tuple[ShiftRule, ...]) -> tuple[ShiftRule, ...]:
        spans = [(span, shift.name) for shift in shifts for span in shift.spans()]
        for (name, day), times in Counter((name, weekday(span)) for span, name in spans).items():
            if times > 1:
                raise ValueError(f"two shifts have the same name on {day}, {name}; name them apart")
        if together := overlap(spans):
            (_, one), (second, other) = together
            raise ValueError(
                f"shift {other} overlaps shift {one} on {weekday(second)};"
                " let it start where the other ends, or give them different days"
            )
        return shifts

    @field_validator("planned")
    @classmethod
    def _planned_while_open(
        cls, planned: tuple[PlannedRule, ...], info: ValidationInfo
    ) -> tuple[PlannedRule, ...]:
        opening = info.data.get("opening", ())
        open_ = union(opening)
        for rule in planned if opening else ():
            spans = rule.spans(opening)
            if not spans:
                raise ValueError(
                    f"{rule.name} begins outside opening time on every day; move it, or remove it"
                )
            for span in spans:
                if not within(span, open_):
                    raise ValueError(
                        f"{rule.name} lies outside opening time on {weekday(span)};"
                        " move it, or give it the days on which the line is open then"
                    )
        for name in dict.fromkeys(rule.name for rule in planned):
            same = [(span, name) for rule in planned if rule.name == name for span in rule.spans(opening)]
            if together := overlap(same):
                day = weekday(together[1][0])
                raise ValueError(f"two planned stops of the same name overlap on {day}, {name}; remove one")
        return planned


class CalendarRules(CalendarLists):
    """A line's calendar."""

    time_zone: TimeZone = "Europe/Paris"
    holidays: Holidays = ()
