"""The list of lines: those that the stream stage knows, and those that the rules name."""

from datetime import UTC, datetime

from linepulse.lines import COLUMNS, rows_of
from tests.rules.plant import Partition


def listed(plant: str, words: str) -> dict[str, dict[str, object]]:
    partition = Partition(plant, words)
    rows = rows_of(partition.lines.states.values(), partition.rules)
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}


def test_each_line_says_how_it_stands_and_when_it_was_last_heard():
    """By name; a forgotten one is not listed."""
    found = listed("[lines.b]\nname = 'Bouchage'", "c b a.stops d d.retire e e.forget x.order c")
    states = {"a": "stopped", "b": "running", "c": "running", "d": "retired", "x": "unheard"}
    assert {name: row["state"] for name, row in found.items()} == states
    assert list(found) == list(states)
    assert [name for name, row in found.items() if row["retired"]] == ["d"]
    assert found["b"] == {
        "line": "b",
        "name": "Bouchage",
        "declared": True,
        "state": "running",
        "heard": datetime(2026, 1, 15, 9, 0, 20, tzinfo=UTC),
        "retired": False,
    }
    assert found["x"]["heard"] is None


def test_a_line_that_the_rules_name_is_listed_before_it_speaks_and_after_it_is_forgotten():
    """It may speak at any time."""
    found = listed("[lines.b]\n[lines.c]", "b b.forget")
    assert [(name, row["declared"], row["state"]) for name, row in found.items()] == [
        ("b", True, "unheard"),
        ("c", True, "unheard"),
    ]
