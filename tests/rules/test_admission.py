"""Which lines are admitted, and for how long: those that the plant file names, and some others."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plant.rules import PlantError, read_plant
from rules import admission, removal
from rules.partition import PARTITION, Lines
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import DeadLetterEvent, DowntimeEvent, OrderEvent, SampleEvent
from schemas.state import MAX_UNDECLARED, Guest, LineState, Undeclared, decode, encode
from tests.rules.line import rows_of
from tests.rules.plant import Partition, records_of
from tests.streams.changelog import fold

ONLY = "[plant]\nlines_only = true\n[lines.a]\n[areas.hall]\nlines = ['b']\n"
FEW = "[plant]\nmax_lines = 4\nnew_lines_per_hour = 1\n[lines.own]\n"


def test_with_lines_only_the_messages_of_any_other_line_are_dead_letters():
    """Whatever their kind; a line of an area is named, too; the sentence says how to let the line in."""
    plant = Partition(ONLY, "a b c c.stops c.order c.retire a")
    assert plant.names == ["a", "b"]
    assert plant.refused == [("c", "undeclared_line")] * 4
    letter = next(row for row in plant.events if row.line_id == "c")
    assert isinstance(letter, DeadLetterEvent)
    assert letter.detail == (
        'la ligne c n\'est pas nommée dans plant.toml (lines_only = true); y ajouter [lines."c"], puis'
        " linepulse rebuild --plant plant.toml"
    )


def test_half_of_the_lines_come_as_they_like_the_others_so_many_an_hour():
    """Until the limit is reached; lines that the plant file names do not count, and are never refused."""
    #  10:00  a b │ c  d✗ e✗ │ 11:00  d: all four places are taken, e✗ │ 12:00  e✗
    plant = Partition(FEW, "a b c d e c own +1h d e +1h e own a")
    assert plant.names == ["a", "b", "c", "own", "d"]
    assert plant.refused == [("d", "too_many_lines"), *[("e", "too_many_lines")] * 3]
    letters = [row for row in plant.events if isinstance(row, DeadLetterEvent)]
    details = [row.detail for row in letters if row.line_id == "e"]
    assert ["new_lines_per_hour = 1" in detail for detail in details] == [True, False, False]
    assert ["max_lines = 4" in detail for detail in details] == [False, True, True]


def test_a_thousand_lines_that_nobody_named_work_out_of_the_box():
    """All at once, in one partition."""
    plant = Partition("", [f"ligne{number}" for number in range(1000)])
    assert len(plant.names) == 1000
    assert not plant.refused


def test_an_order_for_a_line_that_was_never_heard_admits_it_like_its_data():
    """Under the same limits."""
    plant = Partition(FEW, "a.order b.order c.order d.order d")
    assert plant.names == ["a", "b", "c"]
    assert plant.refused == [("d", "too_many_lines")] * 2


def test_what_makes_no_line_takes_no_place():
    """An unreadable message of an unknown line is a dead letter, and admits no line."""
    plant = Partition(FEW, "a.nonsense b.nonsense c.nonsense c.retire d.nonsense e f g")
    assert plant.names == ["e", "f", "g"]
    assert plant.refused[3:] == [("c", "unknown_line"), ("d", "not_json")]


def test_a_line_that_said_little_is_let_go_after_a_day_of_silence_and_nothing_of_it_stays_open():
    """Its stop and its order end, and their rows remain; a later message begins a new line."""
    #  a │ 30 s of silence │ ... 24 h │ let go │ a
    plant = Partition("", ["a", *["+"] * 6, "+23h", "+1h"])
    assert plant.names == []
    known = plant.lines.states[PARTITION].undeclared
    assert known is not None
    assert known.lines == {}
    rows = list(rows_of(plant.events).values())
    [stop] = [row for row in rows if isinstance(row, DowntimeEvent)]
    [order] = [row for row in rows if isinstance(row, OrderEvent)]
    assert (stop.category, stop.end_time) == ("no_signal", "2026-01-16T09:01:30.000Z")
    assert (order.status, order.end_time) == ("completed", stop.end_time)
    again = Partition("", ["a", *["+"] * 6, "+23h", "+1h", "a"])
    assert again.names == ["a"]
    orders = [row for row in rows_of(again.events).values() if isinstance(row, OrderEvent)]
    assert [(row.status, row.produced) for row in orders] == [("completed", 1), ("running", 1)]


def test_a_line_on_which_a_rule_fails_is_let_go_all_the_same(monkeypatch):
    """Its rows remain as they are, with a dead letter; the other line is closed as usual."""
    drop = removal.drop

    def fails(state: LineState, context: RecordContext) -> list[RowUpdate]:
        if state.line_id == "a":
            raise ZeroDivisionError("a defect")
        return drop(state, context)

    monkeypatch.setattr(removal, "drop", fails)
    plant = Partition("", ["a", "b", *["+"] * 6, "+23h", "+1h"])
    assert plant.names == []
    ended = {row.line_id: row.status for row in rows_of(plant.events).values() if isinstance(row, OrderEvent)}
    assert ended == {"a": "running", "b": "completed"}
    assert plant.refused == [("a", "internal")]


@pytest.mark.parametrize(
    ("words", "stays"),
    [
        (["a"] * 9, False),
        (["a"] * 10, True),
        (["a.stops"] * 10, True),
        (["a", "a.nonsense"] * 5, True),
        (["a", "a.order"], True),
        (["own"], True),
        (["a", "+23h", "a"], False),
    ],
    ids=str,
)
def test_a_line_stays_that_said_ten_messages_or_is_spoken_of_or_named(words: list[str], stays: bool):
    """However long it is silent; what counts is the time since its last message."""
    plant = Partition("[lines.own]", [*words, "+23h"])
    assert len(plant.names) == 1
    plant = Partition("[lines.own]", [*words, "+25h"])
    assert bool(plant.names) is stays
    assert bool(Partition("[lines.own]", [*words, "+900h"]).names) is stays


def test_a_line_that_was_retired_is_let_go_after_a_month():
    """Unless it is heard again before; one that the plant file names is kept."""
    month = ["+360h", "+359h", "+2h"]
    assert Partition("", [*["a"] * 10, "a.retire", *month[:2]]).names == ["a"]
    assert Partition("", [*["a"] * 10, "a.retire", *month]).names == []
    assert Partition("", [*["a"] * 10, "a.retire", "+360h", "a", *month]).names == ["a"]
    assert Partition("[lines.a]", ["a", "a.retire", *month]).names == ["a"]


def test_of_very_many_lines_so_many_are_let_go_at_a_tick():
    """At most AT_ONCE at a tick; the others follow at the next ticks."""
    names = [f"x{number}" for number in range(admission.AT_ONCE + 30)]
    assert len(Partition("", [*names, "+25h"]).names) == 30
    assert len(Partition("", [*names, "+25h", "+"]).names) == 0


@pytest.mark.parametrize("rules", ["", "[lines.a]"], ids=["unknown to the plant file", "named there"])
def test_a_line_that_people_forget_is_as_if_it_had_never_spoken(rules: str):
    """Open rows are closed, waiting orders are cancelled; another message begins a new line."""
    plant = Partition(rules, "a a a.stops a.order a.forget a.forget a.retire a.nonsense")
    assert plant.names == []
    assert [reason for _, reason in plant.refused] == ["unknown_line", "unknown_line", "not_json"]
    rows = list(rows_of(plant.events).values())
    assert [row.end_time for row in rows if isinstance(row, DowntimeEvent)] == ["2026-01-15T09:00:50.000Z"]
    ended = [(row.status, row.produced) for row in rows if isinstance(row, OrderEvent)]
    assert ended == [("completed", 2), ("cancelled", 0)]
    again = Partition(rules, "a a a.stops a.order a.forget + a")
    assert again.names == ["a"]
    running = again.lines.states["a"].orders.running
    assert running is not None
    assert running.produced == 1
    assert len([row for row in again.events if isinstance(row, SampleEvent)]) == 3


TICKS = ["+", "+1h", "+25h", "+750h"]
SAID = ["", "", "", ".nonsense", ".order", ".retire", ".forget"]
words = st.lists(
    st.sampled_from([*TICKS, *(line + what for line in ("a", "b", "c", "d", "e", "own") for what in SAID)]),
    min_size=3,
    max_size=24,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(words, st.integers(1, 6))
@example(["a", "b", "c", "+", "+25h", "b", "+", "+", "+25h", "+", "+", "b"], 2)
def test_what_is_admitted_and_let_go_is_the_same_wherever_the_stage_dies(drawn: list[str], size: int):
    """A crash after any write: the same rows, the same lines, and the same admissions."""
    plant = "[plant]\nmax_lines = 4\nnew_lines_per_hour = 1\n[line]\nwindow_s = 3600\n[lines.own]\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admission, "AT_ONCE", 1)
        Partition(plant, drawn, step=4).survives_every_crash(size)


def test_the_places_taken_are_those_of_the_log_so_far_whatever_the_states_say():
    """After a crash the table holds lines that were admitted later: they must not count before."""
    #  a b c d✗ │ b.forget  e │ crash: b's end and e's birth are in the table, the own entry is not
    plant = Partition("[plant]\nmax_lines = 3\n", "a b c d b.forget e a c")
    assert plant.refused == [("d", "too_many_lines")]
    for size in range(1, 8):
        plant.survives_every_crash(size)


def test_a_line_that_came_back_is_not_ended_again_when_its_letting_go_is_read_again():
    """After a crash the table holds its newer state, and the own entry still lists the older one."""
    #  a b b │ +25h: a is let go, a comes back │ ... crash in the third save
    plant = Partition("", "a b b +25h a a.nonsense a.nonsense b b")
    assert plant.names == ["a", "b"]
    plant.survives_every_crash(3)


def test_a_line_that_a_frozen_worker_puts_back_is_let_go_again():
    """The partition's own entry no longer lists it."""
    plant = Partition("", "a a b a.forget b")
    before = Partition("", "a a b").lines.states["a"]
    states = {**plant.lines.states, "a": before}
    lines = Lines(plant.rules, "production.raw", 0, [decode(encode(state)) for state in states.values()])
    assert list(lines.states) == [PARTITION, "b"]


def test_lines_of_an_older_release_go_on_as_many_as_there_are_places_for():
    """It admitted every line: those heard last stay, the others are closed with the next record."""
    plant = Partition("[plant]\nmax_lines = 2\n[lines.own]\n", "own a a +1h a")
    old = [decode(encode(state)) for state in plant.lines.states.values()]
    late = Partition("", "b c d").lines.states
    old += [late[name] for name in "bcd"]
    old[0].undeclared = None
    old = [state for state in old if state.line_id != "own"]
    lines = Lines(plant.rules, "production.raw", 0, old)
    assert set(lines.states) == {PARTITION, "a", "b", "c", "d"}
    last = plant.records[-1]
    tick = records_of(["+"] * (last.offset + 2), "11:30")[-1]
    events = fold(lines, [tick])
    assert set(lines.states) == {PARTITION, "a", "d"}
    own = lines.states[PARTITION].undeclared
    assert own is not None
    assert own.lines["a"] == Guest(10)  # it spoke in more than one window
    assert own.lines["d"].messages == 1
    ended = [row.line_id for row in events if isinstance(row, OrderEvent) and row.status == "completed"]
    assert ended == ["c", "b"]


def test_a_partitions_own_entry_stays_under_256_kib():
    """As many lines as may be, of the longest names."""
    lines = {f"{number:064d}": Guest(9, 2**41) for number in range(MAX_UNDECLARED)}
    own = LineState(line_id=PARTITION, partition=0, undeclared=Undeclared(lines, 500_000, 2000))
    assert len(encode(own)) < 256 * 1024
    with pytest.raises(PlantError, match="max_lines"):
        read_plant(f"[plant]\nmax_lines = {MAX_UNDECLARED + 1}")
