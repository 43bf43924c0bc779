"""A line's calendar for tests, written as a person would read it, in the line's own time zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from plant.calendar import Calendar, Calendars, Demand, Shift
from plant.rules import Rules, read_plant


def calendar(plant: str = "", line_id: str = "ligne1") -> Calendar:
    """The calendar of a line under the rules of a plant file."""
    return Calendars(Rules(1, read_plant(plant))).of(line_id)


def demands(of: Calendar, day: str, zone: str = "Europe/Paris") -> list[str]:
    """The demands of a civil day: when each interval begins, and its kind."""
    return [f"{clock(each.start, zone)} {each.reason or each.kind}" for each in _walk(of.demand, day, zone)]


def shifts(of: Calendar, day: str, zone: str = "Europe/Paris") -> list[str]:
    """The shifts of a civil day: when each interval begins, the shift, the day of the month that it began."""
    return [
        f"{clock(each.start, zone)} {each.id} {(each.date or '')[-2:]}".rstrip()
        for each in _walk(of.shift, day, zone)
    ]


def stretches(of: Calendar, day: str, zone: str = "Europe/Paris") -> list[Shift]:
    """The intervals of a civil day."""
    return _walk(of.shift, day, zone)


def clock(at: int, zone: str = "Europe/Paris") -> str:
    """What the clock shows."""
    return f"{datetime.fromtimestamp(at / 1000, ZoneInfo(zone)):%H:%M}"


def _walk(asked, day, zone):
    noon = datetime.combine(date.fromisoformat(day), datetime.min.time().replace(hour=12), ZoneInfo(zone))
    at = round(noon.timestamp() * 1000)
    found: list[Shift | Demand] = [_holding(asked, at)]
    while _day(found[0].start - 1, zone) == day:
        found.insert(0, _holding(asked, found[0].start - 1))
    while _day(found[-1].end, zone) == day:
        found.append(_holding(asked, found[-1].end))
    return found


def _holding(asked, at):
    found = asked(at)
    assert found.start <= at < found.end
    return found


def _day(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date().isoformat()
