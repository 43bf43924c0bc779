"""Planned stops that do not end in time: noticed when due, at a constant cost whatever their length."""

from plant.calendar import Calendar
from schemas.instant import DAY
from schemas.raw import Kind
from tests.rules.line import Line, at

STANDS = {"count": 0, "rate": 0, "running": False}


def planned(line: Line, end: int, request: str = "a", start: int | None = None) -> Line:
    """Announce a planned stop."""
    start = line.now if start is None else start
    return line.says(Kind.STATUS, action="plan", requestId=request, start=start, end=end)


def opened(line: Line) -> list[str]:
    """When each MACHINE_STOP began, by UTC's clock."""
    return [alert.started_at[11:16] for alert in line.alerts("MACHINE_STOP")]


def test_a_stop_that_lasts_longer_than_it_was_announced_for_is_noticed_at_once():
    """Also a year later: the plan was checked up to its end, and not beyond."""
    #  Jan 15 10:00                      Jan 15 10:00 :01
    #  ■■■■■■■■■■■■ announced, a year ■■■■■■■■■■■■■■■■│■ overdue
    line = Line.at("10:00")
    planned(line, line.now + 365 * DAY).data(**STANDS).bridge_down(minutes=120).data(**STANDS)
    line.bridge_down(minutes=365 * 24 * 60 - 121).stops(minutes=1)
    assert [stop.category for stop in line.stopped] == ["planned"]
    line.stops(seconds=10)
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    assert opened(line) == ["09:00"]


def test_a_plan_that_is_shortened_ends_when_it_now_should():
    """The end of its planned time is computed again."""
    #  10:00           11:00 (cut short)   11:30
    #  ■■■■■■ until 12:00 ■■■■│■ until 11:30 │■ overdue
    line = planned(Line.at("10:00"), at("12:00")).data(**STANDS)
    line.bridge_down(minutes=60).data(**STANDS)
    line.says(Kind.STATUS, action="unplan", requestId="a")
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    planned(line, at("11:30"), "b", start=at("10:00"))
    assert [stop.category for stop in line.stopped] == ["planned"]
    line.data(**STANDS).bridge_down(minutes=31).data(**STANDS)
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    assert opened(line)[-1] == "10:30"


def test_a_plan_that_grows_is_followed():
    """Two plans, the second announced during the first."""
    #  10:00    10:30   11:00       12:00
    #  ├────── a ──────┤
    #           ├─────── b ─────────┤
    line = planned(Line.at("10:00"), at("11:00")).data(**STANDS).bridge_down(minutes=30)
    planned(line.data(**STANDS), at("12:00"), "b")
    line.bridge_down(minutes=89).data(**STANDS)
    assert [stop.category for stop in line.stopped] == ["planned"]
    line.bridge_down(minutes=2).data(**STANDS)
    assert opened(line) == ["11:00"]


def test_a_message_in_a_planned_stop_asks_the_calendar_as_little_after_a_year_as_after_a_day(monkeypatch):
    """Time that was checked once is not checked again, by any message or tick."""
    asked = 0
    whole = Calendar.demand

    def counted(calendar: Calendar, moment: int):
        nonlocal asked
        asked += 1
        return whole(calendar, moment)

    monkeypatch.setattr(Calendar, "demand", counted)
    costs = []
    for days in (1, 365):
        line = Line.at("10:00")
        planned(line, line.now + 400 * DAY).data(**STANDS).bridge_down(minutes=days * 24 * 60).data(**STANDS)
        asked = 0
        line.stops(minutes=1).silent(minutes=2)
        costs.append(asked)
    assert costs[0] == costs[1] < 2 * 54  # 30 messages, 24 ticks: their own time is charged, or shown
