"""The plant's calendar: shifts and demand, day by day, the nights of the clock change among them."""

import tracemalloc
from collections import Counter
from datetime import datetime

from plant.calendar import Calendars, Demand, Shift
from plant.rules import Rules, read_plant
from schemas.instant import DAY, HOUR, MINUTE
from tests.plant.calendars import calendar, demands, shifts, stretches
from tests.rules.line import PARIS, Line, at

THURSDAY, FRIDAY, SATURDAY = "2026-01-15", "2026-01-16", "2026-01-17"
SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # the Sundays on which Paris sets its clocks

WEEK = """
[[opening]]
days = ["mon", "tue", "wed", "thu", "fri"]
start = 06:00:00
end = 22:00:00
"""
PAUSE = """
[[planned]]
name = "Pause"
start = 10:00:00
duration_min = 15
"""


def test_a_machine_that_names_no_offset_is_understood_in_the_hour_that_comes_twice():
    """Its clock shows 02:00 to 03:00 twice: the second time is the next hour, not the first one late."""
    #  CEST 01:30    02:00       03:00 = CET 02:00      03:00    04:00
    #       ───────────────────────────────────────────────────────
    line = Line.at("01:30", "[line.order]\nquantity = 100000", day=AUTUMN)
    line.ticks = False
    for _ in range(0, 210, 5):
        for _ in range(15):
            local = datetime.fromtimestamp(line.now / 1000, PARIS).replace(tzinfo=None)
            line.data(count=40, timestamp=local.isoformat()).silent(seconds=20)
    assert not line.stopped
    pieces = Counter[str]()
    for window in line.windows:
        pieces[window.hour[11:16]] += window.pieces
    assert list(pieces.values()) == [3640, 7200, 7200, 7160]


def test_the_three_default_shifts():
    """Bounds are half open; a night belongs to the day that it began."""
    #  00         06         14          22   24
    #  NUIT       |MATIN     |APRES_MIDI |NUIT
    assert shifts(calendar(), THURSDAY) == [
        "00:00 NUIT 14",
        "06:00 MATIN 15",
        "14:00 APRES_MIDI 15",
        "22:00 NUIT 15",
    ]
    assert calendar().shift(at("14:00") - 1).id == "MATIN"
    assert calendar().shift(at("14:00")).id == "APRES_MIDI"


def test_a_stretch_has_one_shift_one_day_and_one_clock():
    """So windows within it never cross midnight, nor a change of the clocks."""
    night = calendar().shift(at("23:30"))
    assert night == Shift("NUIT", "2026-01-15", "2026-01-15", HOUR, at("22:00"), at("00:00", FRIDAY))
    assert calendar().shift(night.end) == Shift(
        "NUIT", "2026-01-15", "2026-01-16", HOUR, at("00:00", FRIDAY), at("06:00", FRIDAY)
    )


def test_outside_every_shift_there_is_none():
    """A plant that works by day."""
    #  00    08        16      24
    #  ······|JOUR     |·······
    day = calendar('[[shift]]\nname = "JOUR"\nstart = 08:00:00\nend = 16:00:00')
    assert shifts(day, THURSDAY) == ["00:00 None", "08:00 JOUR 15", "16:00 None"]


def test_a_weekend_may_have_shifts_of_its_own():
    """`days` are those on which a shift begins: Friday's night ends on Saturday."""
    #          22      00      05          17
    #  friday  |NUIT   saturday|WEEK_END   |·····
    plant = calendar("""
        [[shift]]
        name = "NUIT"
        days = ["mon", "tue", "wed", "thu", "fri"]
        start = 22:00:00
        end = 05:00:00
        [[shift]]
        name = "WEEK_END"
        days = ["sat", "sun"]
        start = 05:00:00
        end = 17:00:00
    """)
    assert shifts(plant, FRIDAY) == ["00:00 NUIT 15", "05:00 None", "22:00 NUIT 16"]
    assert shifts(plant, SATURDAY) == ["00:00 NUIT 16", "05:00 WEEK_END 17", "17:00 None"]


def test_without_opening_times_a_line_is_always_asked_to_produce():
    """Day and night."""
    assert demands(calendar(), THURSDAY) == ["00:00 open"]


def test_a_break_lies_within_opening_time():
    """Closed, open, planned: each interval has its kind."""
    #  00    06        10     10:15       22    24
    #  ░░░░░░│■■■■■■■■■│Pause │■■■■■■■■■■■│░░░░░
    plant = calendar(WEEK + PAUSE)
    assert demands(plant, THURSDAY) == [
        "00:00 closed",
        "06:00 open",
        "10:00 Pause",
        "10:15 open",
        "22:00 closed",
    ]
    assert plant.demand(at("10:07")) == Demand("planned", "Pause", at("10:00"), at("10:15"))


def test_a_break_without_days_is_on_those_on_which_the_line_is_open():
    """There is no break on a Saturday on which the line is closed."""
    assert demands(calendar(WEEK + PAUSE), SATURDAY) == ["00:00 closed"]


def test_opening_times_over_midnight_belong_to_the_day_on_which_they_begin():
    """Friday's night goes on until Saturday morning."""
    #  friday 21      00    saturday 05
    #  ░░░░░░░│■■■■■■■■■■■■■■■■■■■■■■│░░░░
    plant = calendar('[[opening]]\ndays = ["fri"]\nstart = 21:00:00\nend = 05:00:00')
    assert demands(plant, FRIDAY) == ["00:00 closed", "21:00 open"]
    assert demands(plant, SATURDAY) == ["00:00 open", "05:00 closed"]


def test_opening_times_that_touch_or_overlap_are_one():
    """Nothing ends where nothing changes."""
    #  06        14
    #  ■■■■■■■■■■
    #           ■■■■■■■■  13-22
    plant = "[[opening]]\nstart = 06:00:00\nend = 14:00:00\n[[opening]]\nstart = 13:00:00\nend = 22:00:00"
    assert demands(calendar(plant), THURSDAY) == ["00:00 closed", "06:00 open", "22:00 closed"]


def test_a_break_over_midnight_is_cut_there_and_goes_on():
    """An interval lies within one day."""
    #  23:45   00:00   00:20
    #  │Pause  │Pause  │■■■■
    plant = calendar('[[planned]]\nname = "Pause"\nstart = 23:45:00\nend = 00:20:00')
    assert demands(plant, THURSDAY) == ["00:00 Pause", "00:20 open", "23:45 Pause"]
    assert plant.demand(at("00:10", FRIDAY)).end == at("00:20", FRIDAY)


def test_of_planned_stops_that_overlap_the_first_of_the_file_names_the_time():
    """Their union is planned."""
    #  10      10:15       11
    #  │Pause  │
    #  │Nettoyage          │
    cleaning = '[[planned]]\nname = "Nettoyage"\nstart = 10:00:00\nend = 11:00:00'
    found = demands(calendar(PAUSE + cleaning), THURSDAY)
    assert found == ["00:00 open", "10:00 Pause", "10:15 Nettoyage", "11:00 open"]


def test_a_holiday_in_the_middle_of_a_night_shift():
    """Closed from midnight to midnight; the shift is known all the same."""
    #  wednesday 22     00  thursday, a holiday   00  friday
    #  ■■■■■■■■■■│■■■■■■│░░░░░░░░░░░░░░░░░░░░░░░░░│■■■■■■
    #            │NUIT 14       │06 MATIN ...  │NUIT 15
    plant = calendar(
        '[plant]\nholidays = [2026-01-15]\n[[planned]]\nname = "Pause"\nstart = 03:00:00\nduration_min = 30'
    )
    assert demands(plant, "2026-01-14")[-1] == "03:30 open"
    assert demands(plant, THURSDAY) == ["00:00 closed"]
    assert demands(plant, FRIDAY) == ["00:00 open", "03:00 Pause", "03:30 open"]
    assert shifts(plant, THURSDAY)[0] == "00:00 NUIT 14"


def test_the_night_of_spring_has_seven_hours_and_that_of_autumn_nine():
    """It ends at 06:00 on the clock, whatever the clock did."""
    for morning, hours in ((SPRING, 7), (AUTUMN, 9), (FRIDAY, 8)):
        night = [each for each in stretches(calendar(), morning) if each.id == "NUIT"][:-1]
        evening = calendar().shift(night[0].start - 1)
        assert evening.id == "NUIT"
        assert night[-1].end - evening.start == hours * HOUR
        assert night[-1].end == at("06:00", morning)


def test_a_day_has_23_24_or_25_hours():
    """Its intervals end where the clocks change: each has one offset."""
    #  spring  00  NUIT +1 │03  NUIT +2 │06
    #  autumn  00  NUIT +2 │02  NUIT +1 │06   (02:00 comes twice)
    for day, hours, first in ((SPRING, 23, [1, 2]), (AUTUMN, 25, [2, 1]), (FRIDAY, 24, [1, 1])):
        found = stretches(calendar(), day)
        assert sum(each.end - each.start for each in found) == hours * HOUR
        assert [each.offset // HOUR for each in found[:2]] == first
    assert shifts(calendar(), SPRING)[:3] == ["00:00 NUIT 28", "03:00 NUIT 28", "06:00 MATIN 29"]
    assert shifts(calendar(), AUTUMN)[:3] == ["00:00 NUIT 24", "02:00 NUIT 24", "06:00 MATIN 25"]


def test_a_shift_that_begins_at_a_skipped_or_doubled_time():
    """A skipped time is the moment of the jump, one that comes twice is the first: shifts still meet."""
    #  spring  01:59│03:00           autumn  02:29│02:30 … 02:59│02:00 … 02:30 …
    #  A            │B                       A    │B      (+2)  │B      (+1)
    plant = calendar("""
        [[shift]]
        name = "A"
        start = 22:00:00
        end = 02:30:00
        [[shift]]
        name = "B"
        start = 02:30:00
        end = 06:00:00
    """)
    assert shifts(plant, SPRING)[:3] == ["00:00 A 28", "03:00 B 29", "06:00 None"]
    assert shifts(plant, AUTUMN)[:4] == ["00:00 A 24", "02:30 B 25", "02:00 B 25", "06:00 None"]
    second = [each for each in stretches(plant, AUTUMN) if each.id == "B"]
    assert [each.end - each.start for each in second] == [30 * MINUTE, 4 * HOUR]


def test_a_break_by_the_clock_and_a_break_by_its_length_on_the_nights_of_the_clock_change():
    """With `end` it ends by the clock, with `duration_min` when so much time has passed."""

    #  spring       01:45 │03:00  03:15        autumn  02:50 … 02:59│02:00 … 02:05 … 03:05
    #  by the clock  ▒▒▒▒▒│                            ▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
    #  by length     ▒▒▒▒▒│▒▒▒▒▒▒▒                     ▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒▒▒▒▒▒
    def planned(text: str, day: str) -> list[int]:
        of = calendar('[[planned]]\nname = "Pause"\n' + text)
        start = at("00:00", day)
        found = [of.demand(minute) for minute in range(start, start + 6 * HOUR, MINUTE)]
        return sorted({(each.end - each.start) // MINUTE for each in found if each.kind == "planned"})

    assert planned("start = 01:45:00\nend = 02:15:00", SPRING) == [15]
    assert planned("start = 01:45:00\nduration_min = 30", SPRING) == [30]
    assert planned("start = 02:10:00\nend = 02:40:00", SPRING) == []  # a time that there was not
    assert planned("start = 02:10:00\nduration_min = 30", SPRING) == [30]
    assert planned("start = 02:50:00\nend = 03:05:00", AUTUMN) == [75]
    assert planned("start = 02:50:00\nduration_min = 15", AUTUMN) == [15]
    assert planned("start = 02:10:00\nend = 02:40:00", AUTUMN) == [30]  # once
    #  saturday 23:59 │sunday, of 23 hours│ monday 00:59
    day = 'name = "Pause"\ndays = ["sat"]\nstart = 23:59:00\nduration_min = 1440'
    assert demands(calendar("[[planned]]\n" + day), "2026-03-30") == ["00:00 Pause", "00:59 open"]


def test_a_clock_that_is_not_a_whole_hour_ahead():
    """Kathmandu: UTC+5:45, its days begin at 18:15 UTC."""
    plant = calendar('[plant]\ntime_zone = "Asia/Kathmandu"')
    found = plant.shift(at("01:30"))  # 00:30 UTC, 06:15 there
    assert (found.id, found.day, found.offset) == ("MATIN", THURSDAY, 5 * HOUR + 45 * MINUTE)
    assert (found.start, found.end) == (at("01:15"), at("09:15"))
    assert stretches(plant, THURSDAY, "Asia/Kathmandu")[0].start == at("19:15", "2026-01-14")


def test_a_lines_rules_beat_its_areas_and_those_the_plants():
    """Whole lists replace."""
    #  plant        06 ■■■■■■■■■■■■■■■■■■■■■■ 22   Pause at 10
    #  area hall       08 ■■■■■■■■■■■■■■ 18        Pause at 10
    #  line ligne2     08 ■■■■■■■■■■■■■■ 18        no break
    calendars = Calendars(
        Rules(
            1,
            read_plant(
                WEEK
                + PAUSE
                + """
        [areas.hall]
        lines = ["ligne1", "ligne2"]
        [[areas.hall.opening]]
        start = 08:00:00
        end = 18:00:00
        [lines.ligne2]
        planned = []
    """
            ),
        )
    )
    elsewhere, hall, own = (calendars.of(line_id) for line_id in ("ligne9", "ligne1", "ligne2"))
    pause = ["10:00 Pause", "10:15 open"]
    assert demands(elsewhere, THURSDAY) == ["00:00 closed", "06:00 open", *pause, "22:00 closed"]
    assert demands(hall, THURSDAY) == ["00:00 closed", "08:00 open", *pause, "18:00 closed"]
    assert demands(own, THURSDAY) == ["00:00 closed", "08:00 open", "18:00 closed"]
    assert demands(elsewhere, SATURDAY) == ["00:00 closed"]


def test_rules_may_hold_from_a_date_on_and_stretches_end_there():
    """For the plant, an area, a line; what is more special stays as it was."""
    #             thursday 12:00
    #  ligne9  Pause at 10 │ Pause at 15
    #  ligne1  Pause at 10 │ no break      (its area's change)
    #  ligne2  Pause at 13 │ Pause at 13   (its own list)
    calendars = Calendars(
        Rules(
            1,
            read_plant(
                PAUSE
                + """
        [areas.hall]
        lines = ["ligne1", "ligne2"]
        [[lines.ligne2.planned]]
        name = "Pause"
        start = 13:00:00
        duration_min = 15
        [[change]]
        from = 2026-01-15T12:00:00
        [[change.planned]]
        name = "Pause"
        start = 15:00:00
        duration_min = 15
        [[change]]
        from = 2026-01-15T12:00:00
        area = "hall"
        planned = []
    """
            ),
        )
    )
    morning, day = ["00:00 open", "10:00 Pause", "10:15 open"], THURSDAY
    assert demands(calendars.of("ligne9"), day) == [*morning, "12:00 open", "15:00 Pause", "15:15 open"]
    assert demands(calendars.of("ligne1"), day) == [*morning, "12:00 open"]
    assert demands(calendars.of("ligne2"), day) == ["00:00 open", "13:00 Pause", "13:15 open"]


def test_a_change_of_other_rules_ends_no_stretch():
    """The target rate is not in the calendar."""
    plant = calendar("[[change]]\nfrom = 2026-01-15T12:00:00\ntarget_rate = 100")
    assert demands(plant, THURSDAY) == ["00:00 open"]


def test_a_change_begins_by_the_clock_of_each_line():
    """At midnight there, though the plant's own is elsewhere."""
    calendars = Calendars(
        Rules(
            1,
            read_plant("""
        [lines.montreal]
        time_zone = "America/Montreal"
        [[change]]
        from = 2026-01-15
        planned = [{ name = "Pause", start = 00:00:00, duration_min = 15 }]
    """),
        )
    )
    assert demands(calendars.of("ligne1"), THURSDAY)[0] == "00:00 Pause"
    assert demands(calendars.of("ligne1"), "2026-01-14") == ["00:00 open"]
    assert demands(calendars.of("montreal"), THURSDAY, "America/Montreal")[0] == "00:00 Pause"
    assert demands(calendars.of("montreal"), "2026-01-14", "America/Montreal") == ["00:00 open"]


def test_a_timestamp_without_an_offset_is_on_the_lines_clock():
    """Not on the plant's."""
    line = Line.at("15:00", '[lines.ligne1]\ntime_zone = "America/Montreal"')
    line.data(timestamp="2026-01-15T08:59:30")
    assert line.samples[0].timestamp == "2026-01-15T13:59:30.000Z"
    assert line.samples[0].shift_id == "MATIN"


def test_lines_with_the_same_calendar_share_it():
    """A thousand lines share one calendar."""
    named = "\n".join(f"[lines.l{n}]\ntarget_rate = {n + 1}" for n in range(50))
    calendars = Calendars(Rules(1, read_plant(named)))
    assert len({id(calendars.of(f"l{n}")) for n in range(60)}) == 1


def test_years_of_questions_leave_no_memory_behind():
    """A month of days is kept."""
    plant = calendar(WEEK + PAUSE)
    for day in range(100):
        plant.demand(at("12:00") + day * DAY)
    tracemalloc.start()
    for day in range(300):
        plant.demand(at("12:00") + day * DAY)
        plant.shift(at("12:00") + day * DAY)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
