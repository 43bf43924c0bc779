"""Shifts by the plant's clock, the nights of the clock change among them."""

from schemas.plant import Rules, read_plant
from streams.calendar import Calendars
from tests.streams.line import at

DEFAULT = Calendars(Rules(1, read_plant(""))).of("ligne1")
HOUR = 3_600_000


def shift(clock: str, day: str = "2026-01-15") -> tuple[str | None, str | None]:
    found = DEFAULT.shift(at(clock, day))
    return found.id, found.date


def test_bounds_are_half_open():
    """06:00 is MATIN, 14:00 is not any more."""
    assert shift("05:59:59") == ("NUIT", "2026-01-14")
    assert shift("06:00") == ("MATIN", "2026-01-15")
    assert shift("14:00") == ("APRES_MIDI", "2026-01-15")
    assert shift("22:00") == ("NUIT", "2026-01-15")


def test_a_night_belongs_to_the_day_that_it_began():
    """Over midnight."""
    assert shift("23:59:59") == shift("00:30", "2026-01-16") == ("NUIT", "2026-01-15")


def test_the_night_of_spring_has_seven_hours_and_that_of_autumn_nine():
    """Summer time begins on 2026-03-29 and ends on 2026-10-25."""
    for day, hours in (("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)):
        since, until, found = at("22:00", day), at("22:00", day), DEFAULT.shift(at("22:00", day))
        while (found.id, found.date) == ("NUIT", day):
            until = found.end
            found = DEFAULT.shift(until)
        assert until - since == hours * HOUR
        assert found.id == "MATIN"


def test_outside_every_shift_there_is_none():
    """A plant that works by day."""
    day = Calendars(Rules(1, read_plant("[[shift]]\nname='JOUR'\nstart=08:00:00\nend=16:00:00"))).of("ligne1")
    assert day.shift(at("12:00")).id == "JOUR"
    evening = day.shift(at("16:00"))
    assert (evening.id, evening.date, evening.start) == (None, None, at("16:00"))
    early = day.shift(at("07:30"))
    assert (early.id, early.end) == (None, at("08:00"))


def test_every_instant_of_a_year_belongs_to_one_shift_that_holds_it():
    """The three default shifts leave no hole."""
    for ms in range(at("00:00", "2026-01-01"), at("00:00", "2027-01-01"), 17 * 60_000):
        found = DEFAULT.shift(ms)
        assert found.id is not None
        assert found.start <= ms < found.end
