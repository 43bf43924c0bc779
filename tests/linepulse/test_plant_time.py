"""Times at the command line: what is printed can be pasted back, and names the same moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from linepulse.plant_time import PlantTime
from linepulse.rows import cell, in_utc, print_table
from plant.rules import Rules, read_plant
from runtime.errors import UserError
from runtime.settings import Settings
from schemas.instant import ms_of

CLOCK = PlantTime(
    Rules(1, read_plant('[plant]\ntime_zone = "Europe/Paris"\n[lines.lima]\ntime_zone = "America/Lima"\n'))
)
SETTINGS = Settings(_env_file=None, lang="en")


@pytest.mark.parametrize(
    ("moment", "line", "shown"),
    [
        ("2026-01-15T13:03:05Z", "ligne1", "2026-01-15 14:03:05+01:00"),
        ("2026-07-15T13:03:05.250Z", "ligne1", "2026-07-15 15:03:05.250+02:00"),
        ("2026-01-15T13:03:05Z", "lima", "2026-01-15 08:03:05-05:00"),
        ("9999-12-31T23:59:59.999Z", "ligne1", "9999-12-31 23:59:59.999+00:00"),
    ],
)
def test_a_time_is_shown_by_its_lines_clock(moment: str, line: str, shown: str):
    """With the offset; milliseconds where there are any."""
    assert CLOCK.shown(datetime.fromisoformat(moment), line) == shown


def test_a_shown_time_pasted_back_is_the_same_to_the_millisecond():
    """With T or without, at every quarter of an hour of the nights in which the clocks change."""
    for night in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        for quarter in range(16):
            moment = night + timedelta(minutes=15 * quarter, milliseconds=7 * quarter)
            for separator in " T":
                text = CLOCK.shown(moment, "ligne1", separator)
                assert CLOCK.ms(SETTINGS, text, "ligne1", "at") == ms_of(moment)


def test_a_time_without_an_offset_is_by_the_lines_clock():
    """As the pipeline reads it."""
    noon = ms_of(datetime(2026, 1, 15, 12, tzinfo=UTC))
    assert CLOCK.ms(SETTINGS, "2026-01-15 13:00", "ligne1", "at") == noon
    assert CLOCK.ms(SETTINGS, "2026-01-15T07:00", "lima", "at") == noon
    with pytest.raises(UserError, match="at refused: yesterday"):
        CLOCK.ms(SETTINGS, "yesterday", "ligne1", "at")


@pytest.mark.parametrize("text", ["[/x]", "[red]x[/red]", "a\nb", "\x1b[2J", ":smile:"])
def test_what_stands_in_a_row_is_text(text: str, capsys: pytest.CaptureFixture[Any]):
    """No markup, no emoji codes, no control characters: as in the row, or escaped."""
    print_table([text], [[cell(text, CLOCK, "")]])
    printed = capsys.readouterr().out
    assert printed.count(text.replace("\n", r"\n").replace("\x1b", r"\x1b")) == 2
    assert "\x1b" not in printed


def test_options_of_the_url_are_kept():
    """The option for times in UTC is added to them."""
    asked = conninfo_to_dict(in_utc("postgresql://u@h/db?options=-c%20search_path%3Dx"))
    assert asked["options"] == "-c search_path=x -c timezone=UTC"
    assert conninfo_to_dict(in_utc("postgresql://u@h/db"))["options"] == "-c timezone=UTC"
