"""The calendar of any plant, in any zone: its intervals partition time, and agree with the clock."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.calendar import Calendar, Demand, Shift
from plant.calendar_rules import CalendarRules
from plant.rules import ALWAYS
from plant.week import WEEKDAYS, OpeningRule, PlannedRule, ShiftRule
from schemas.instant import DAY, MINUTE

FROM, UNTIL = date(1975, 1, 1), date(2037, 12, 31)
MOST = 15  # stretches that are walked
minutes = st.integers(0, 24 * 60 - 1)
instants = st.integers(5 * 365 * DAY, 67 * 365 * DAY)
weekdays = st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(tuple)


def clock(minute: int) -> time:
    return time(minute // 60, minute % 60)


@st.composite
def shift_rules(draw: st.DrawFn) -> tuple[ShiftRule, ...]:
    """Any number of shifts, one over midnight among them, with or without gaps."""
    cuts = sorted(draw(st.sets(minutes, max_size=6)))
    rules = [
        ShiftRule(name=f"S{index}", days=draw(weekdays), start=clock(start), end=clock(end))
        for index, (start, end) in enumerate(zip(cuts, [*cuts[1:], *cuts[:1]], strict=True))
    ]
    return tuple(rule for rule in rules if draw(st.integers(0, 3)))


@st.composite
def calendar_rules(draw: st.DrawFn) -> CalendarRules:
    """Any calendar that a plant file may have."""
    opening = draw(
        st.lists(
            st.builds(OpeningRule, days=weekdays, start=minutes.map(clock), end=minutes.map(clock)),
            max_size=3,
        )
    )
    planned = draw(
        st.lists(
            st.one_of(
                st.builds(
                    PlannedRule,
                    name=st.sampled_from("PQR"),
                    start=minutes.map(clock),
                    duration_min=st.integers(1, 24 * 60),
                ),
                st.builds(
                    PlannedRule,
                    name=st.sampled_from("PQR"),
                    days=weekdays,
                    start=minutes.map(clock),
                    end=minutes.map(clock),
                ),
            ),
            max_size=3,
        )
    )
    rest = {
        "shift": draw(shift_rules()),
        "opening": tuple(opening),
        "holidays": tuple(draw(st.lists(st.dates(FROM, UNTIL), max_size=3))),
        "time_zone": draw(st.sampled_from(sorted(available_timezones()))),
    }
    try:
        return CalendarRules(planned=tuple(planned), **rest)
    except ValidationError:  # a planned stop outside opening time
        return CalendarRules(**rest)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[list[tuple[int, CalendarRules]], int]:
    """A calendar whose rules may change, and a point in time about then."""
    at = draw(instants)
    changes = [(ALWAYS, draw(calendar_rules()))]
    if draw(st.booleans()):
        changes.append((at + draw(st.integers(-2 * DAY, 2 * DAY)), draw(calendar_rules())))
    return changes, at


@settings(deadline=None, max_examples=60)
@given(calendars())
def test_stretches_partition_time(drawn: tuple[list[tuple[int, CalendarRules]], int]):
    """Where one ends the next begins; any point within an interval gives the same interval."""
    changes, begin = drawn
    plant = Calendar(changes)
    asks: tuple[Callable[[int], Shift | Demand], ...] = (plant.shift, plant.demand)
    for ask in asks:
        at, before = begin, None
        for _ in range(MOST):
            found = ask(at)
            assert found.start <= at < found.end
            assert before is None or (found.start, before.end) == (before.end, found.start)
            assert found.end - found.start < 50 * 60 * MINUTE
            for inside in (found.start, (found.start + found.end) // 2, found.end - 1):
                assert ask(inside) == found
            assert _fresh(changes, ask, found.end - 1) == found
            at, before = found.end, found


@settings(deadline=None, max_examples=60)
@given(calendars())
def test_neighbours_differ_unless_a_day_or_the_rules_end_between_them(
    drawn: tuple[list[tuple[int, CalendarRules]], int],
):
    """Intervals are as long as possible: no window is cut without need."""
    changes, at = drawn
    plant = Calendar(changes)
    for _ in range(MOST):
        found = plant.demand(at)
        after = plant.demand(found.end)
        if plant.shift(found.end - 1).day == plant.shift(found.end).day and found.end != changes[-1][0]:
            assert (found.kind, found.reason) != (after.kind, after.reason)
        at = found.end


@settings(deadline=None)
@given(calendar_rules(), instants)
def test_where_no_clock_is_set_the_calendar_says_what_the_clock_says(rules: CalendarRules, at: int):
    """A shift by its days and its times on the clock; likewise opening times and planned stops."""
    zone = ZoneInfo(rules.time_zone)
    around = [datetime.fromtimestamp(at // 1000, zone) + timedelta(days=days) for days in range(-3, 4)]
    if len({moment.utcoffset() for moment in around}) > 1:
        return
    plant, shown = Calendar([(ALWAYS, rules)]), around[3].replace(tzinfo=None)

    def begun(rule: ShiftRule | OpeningRule | PlannedRule) -> date | None:
        for on in (shown.date() - timedelta(days=1), shown.date()):
            start = datetime.combine(on, rule.start)
            if rule.end is None:
                end = start + timedelta(minutes=rule.duration_min or 0)
            else:
                end = datetime.combine(on, rule.end) + timedelta(days=rule.end <= rule.start)
            if (rule.days is None or WEEKDAYS[on.weekday()] in rule.days) and start <= shown < end:
                return on
        return None

    on = next(((rule.name, begun(rule)) for rule in rules.shift if begun(rule)), (None, None))
    found = plant.shift(at)
    assert (found.id, found.date) == (on[0], on[1] and on[1].isoformat())
    assert found.day == shown.date().isoformat()
    asked = plant.demand(at)
    if shown.date() in rules.holidays or (rules.opening and not any(map(begun, rules.opening))):
        assert asked.kind == "closed"
    elif asked.kind == "planned" or not rules.opening:
        names = [rule.name for rule in rules.planned if begun(rule)]
        assert asked.reason == (names[0] if names else None)


def _fresh(changes: list[tuple[int, CalendarRules]], ask: Callable[..., object], at: int) -> object:
    return getattr(Calendar(changes), ask.__name__)(at)
