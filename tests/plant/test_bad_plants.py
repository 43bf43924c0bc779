"""Errors in `plant.toml` are named: the line or the area, the key, what to do."""

import re

import pytest

from plant.rules import PlantError, read_plant

EARLY = '[[shift]]\nname = "A"\nstart = 06:00:00\nend = 14:00:00\n'
OPEN = '[[opening]]\ndays = ["mon", "tue"]\nstart = 06:00:00\nend = 14:00:00\n'
PAUSE = '[[planned]]\nname = "Pause"\nstart = 13:50:00\nduration_min = 20\n'
HALL = '[areas.hall]\nlines = ["ligne1", "ligne2"]\n'


def of_line(text: str, line: str = "lines.ligne1") -> str:
    """The same lists for a line or an area."""
    return text.replace("[[", f"[[{line}.")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[line", "Expected ']'"),
        (
            "[[log_clock]]\nfirst_run = 2\nlast_run = 1\n"
            "from = 2027-01-01T00:00:00Z\ntrue = 2026-01-01T00:00:00Z",
            "last_run = 1 is below first_run = 2",
        ),
        (
            "[[log_clock]]\nfirst_run = 1\nlast_run = 1\n"
            "from = 2026-01-01T00:00:00Z\ntrue = 2027-01-01T00:00:00Z",
            "must be before from",
        ),
        (
            '[[log_clock]]\nfirst_run = 1\nlast_run = 1\nfrom = "2027"\ntrue = 2026-01-01T00:00:00Z',
            "log_clock.0.from = '2027': not a time with its offset",
        ),
        ("[line]\ntarget_rate = -3", "line.target_rate = -3"),
        (HALL + "target_rate = -3", "areas.hall.target_rate = -3"),
        ("[line]\ntarget = 3", "line.target = 3"),
        (HALL + "target = 3", "areas.hall.target = 3"),
        ("[[change]]\nfrom = 2026-01-01\nspeed = 3", "change from 2026-01-01.speed = 3"),
        (
            '[[change]]\nfrom = 2026-01-01\nline = "ligne1"\nspeed = 3',
            "lines.ligne1, change from 2026-01-01.speed = 3",
        ),
        (
            "[lines.ligne1.alerts]\nlow_rate = 0.9",
            "lines.ligne1.alerts: low_rate_clear must lie on the quiet side",
        ),
        ("[lines.'a b']\nname = 'x'", "lines.a b: not a line name"),
    ],
)
def test_keys_and_values(text: str, named: str):
    """The key, its value, what is expected."""
    refused(text, named)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[plant]\ntime_zone = 'Mars/Olympus'", "plant.time_zone = 'Mars/Olympus': no such time zone"),
        (HALL + "time_zone = 'Paris'", "areas.hall.time_zone = 'Paris': no such time zone"),
        ("[lines.ligne1]\ntime_zone = ''", "lines.ligne1.time_zone = '': no such time zone"),
        (
            EARLY + '[[shift]]\nname = "B"\nstart = 13:00:00\nend = 20:00:00',
            "shift: shift B overlaps shift A on mon; let it start where the other ends",
        ),
        (
            EARLY + '[[shift]]\nname = "B"\ndays = ["sun"]\nstart = 22:00:00\nend = 06:30:00',
            "shift A overlaps shift B on mon",  # over the end of the week
        ),
        (
            EARLY + '[[shift]]\nname = "B"\ndays = ["fri"]\nstart = 22:00:00\nend = 06:00:01',
            "shift A overlaps shift B on sat",
        ),
        (
            of_line(EARLY + '[[shift]]\nname = "B"\nstart = 13:00:00\nend = 20:00:00'),
            "lines.ligne1.shift: shift B overlaps shift A",
        ),
        (
            HALL + of_line(EARLY + '[[shift]]\nname = "B"\nstart = 13:00:00\nend = 20:00:00', "areas.hall"),
            "areas.hall.shift: shift B overlaps shift A",
        ),
        (
            EARLY + '[[shift]]\nname = "A"\nstart = 14:00:00\nend = 22:00:00',
            "shift: two shifts have the same name on mon, A; name them apart",
        ),
        (EARLY + 'days = ["lundi"]', "shift.0.days.0 = 'lundi': Input should be 'mon', 'tue'"),
        (EARLY + "days = []", "shift.0.days: name at least one of mon"),
        ('[[shift]]\nname = "A"\nstart = "06:00+01:00"\nend = 14:00:00', "shift.0.start = '06:00+01:00'"),
        ("[plant]\nholidays = ['Noël']", "plant.holidays.0 = 'Noël'"),
        ("[[planned]]\nname = 'x'\nstart = 10:00:00", "planned.0: give it an end, or a duration_min"),
        (PAUSE + "end = 14:10:00", "planned.0: give it an end, or a duration_min"),
        (OPEN + PAUSE, "planned: Pause lies outside opening time on mon; move it"),
        (OPEN + PAUSE.replace("13", "15"), "planned: Pause begins outside opening time on every day"),
        (
            OPEN + PAUSE.replace("13", "10") + 'days = ["mon", "sat"]',
            "planned: Pause lies outside opening time on sat; move it, or give it the days",
        ),
        (PAUSE + of_line(OPEN), "lines.ligne1.planned: Pause lies outside opening time on mon"),
        (
            PAUSE + HALL + of_line(OPEN, "areas.hall"),
            "areas.hall.planned: Pause lies outside opening time on mon",
        ),
        (
            PAUSE + "[[change]]\nfrom = 2026-01-01\n" + of_line(OPEN, "change"),
            "change from 2026-01-01.planned: Pause lies outside opening time on mon",
        ),
        (PAUSE + PAUSE.replace("50", "55"), "two planned stops of the same name overlap on mon, Pause"),
    ],
)
def test_the_calendar(text: str, named: str):
    """Overlapping shifts, unknown zones and days, breaks outside opening time."""
    refused(text, named)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[areas.hall]\ntarget_rate = 3", "areas.hall.lines: Field required"),
        (HALL + '[areas.cave]\nlines = ["ligne2"]', "areas.cave.lines: ligne2 is in area hall already"),
        ('[areas.hall]\nlines = ["ligne1", "ligne1"]', "areas.hall.lines: ligne1 is in area hall already"),
        ('[areas.hall]\nlines = ["a b"]', "areas.hall.lines = 'a b': not a line name"),
        (HALL + 'name = "Hall"', "areas.hall: name: all its lines would have it"),
        (HALL + "[areas.hall]", "twice"),
        (
            HALL + '[[change]]\nfrom = 2026-01-01\narea = "hal"\nsilence_s = 5',
            "change from 2026-01-01.area = 'hal': no such area; there is hall",
        ),
        (
            HALL + '[[change]]\nfrom = 2026-01-01\narea = "hall"\nline = "ligne1"\nsilence_s = 5',
            "change.0: give it a line or an area, not both",
        ),
    ],
)
def test_areas(text: str, named: str):
    """A line is in one area, and a change names an area that exists."""
    refused(text, named)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[line]\nwindow_s = 70", "line.window_s = 70: windows must divide the hour"),
        ("[lines.ligne1]\nmicro_stop_s = 901", "lines.ligne1.micro_stop_s = 901: a micro-stop is at most 15"),
        ("[line]\nmicro_stop_s = 151\nwindow_s = 10", "line.micro_stop_s = 151: a micro-stop is at most 15"),
        ("[line]\nmicro_stop_s = -1", "line.micro_stop_s = -1"),
        ("[line]\nslow_rate = 1.5", "line.slow_rate = 1.5"),
        ("[line]\nslow_rate = nan", "line.slow_rate = nan"),
    ],
)
def test_windows_slow_lines_and_micro_stops(text: str, named: str):
    """Within what the figures can tell."""
    refused(text, named)


def test_what_is_unusual_and_sound_is_accepted():
    """A shift of 24 hours, Saturdays of their own, a break that ends with opening time."""
    read_plant('[[shift]]\nname = "A"\nstart = 06:00:00\nend = 06:00:00')
    read_plant(
        EARLY.replace("start", 'days = ["mon", "fri"]\nstart')
        + EARLY.replace("start", 'days = ["sat"]\nstart').replace("06:00", "05:00")
    )
    read_plant(OPEN + PAUSE.replace("13:50", "13:40"))
    read_plant("[[opening]]\nstart = 00:00:00\nend = 00:00:00\n" + PAUSE.replace("13:50", "23:50"))
    read_plant(OPEN + PAUSE.replace("13:50", "12:00") + "[lines.ligne1]\nplanned = []\nmicro_stop_s = 900")


def refused(text: str, named: str) -> None:
    with pytest.raises(PlantError, match=re.escape(named)) as error:
        read_plant(text, "usine.toml")
    assert all(re.match(r"usine\.toml(:\d+)?: ", line) for line in str(error.value).splitlines())


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("# the plant\n\n[line]\nsilence_s = 30  # as ever\ntarget_rate = -3", [5]),
        ("[line]\nsilence_s = 30\n[lines.'ligne1']\nfields . count = 'n'\n\"targetRate\" = 3", [5]),
        (EARLY + EARLY.replace("A", "B") + 'days = ["lundi", "fri"]', [9]),
        (EARLY.replace('"A"', "7") + PAUSE + "end = 14:10:00", [2, 5]),
        (PAUSE + of_line(OPEN), [5]),  # the line's own opening; the break is the plant's
        ("[[change]]\nfrom = 2026-01-01\n" * 2 + "slow = 2", [5]),
        ("[[change]]\nfrom = 2026-01-01T06:00:00\nline = 'ligne1'\n[change.alerts]\nlow_rate = 3", [4]),
        ("lines = 3", [1]),
        (EARLY + "days = [\n  'mon',\n  'lundi',\n]", [5]),  # what spans lines is not looked into
    ],
)
def test_the_line_of_the_file(text: str, places: list[int]):
    """The line of the wrong key, or else of its table."""
    with pytest.raises(PlantError) as error:
        read_plant(text, "usine.toml")
    assert [int(line.split(":")[1]) for line in str(error.value).splitlines()] == places
