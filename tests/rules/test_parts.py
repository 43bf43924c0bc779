"""The rows of a batch: each once, in its last form, some at a time."""

from collections.abc import Callable
from typing import Any

import pytest
from faust.types import TP

from rules.row_update import RowUpdate
from runtime.batches import Batch
from schemas.events import KpiEvent, OrderEvent
from streams import agent


def changes(kind, *forms):
    """Changes of rows: `a1` is row a in its form 1."""

    def returning(form: Any) -> Callable[[], Any]:
        return lambda: form

    return [RowUpdate(kind, form[0], returning(form)) for form in forms]


@pytest.fixture
def folded(monkeypatch):
    """The agent's events for records given as their updates; it handles three rows at a time here."""
    applied: list[object] = []

    def taken(_: object, record: object) -> object:
        applied.append(record)
        return record

    monkeypatch.setattr(agent, "AT_ONCE", 3)
    monkeypatch.setattr(agent, "changes", taken)
    nobody: Any = None
    return lambda *records: (agent.folded(nobody, Batch(TP("raw", 0), list(records), 0)), applied)


def test_a_batch_tells_each_row_once_as_it_was_last(folded):
    """Two tables may have rows of one name."""
    parts, _ = folded(changes(KpiEvent, "a1", "b1"), changes(KpiEvent, "a2"))
    assert list(parts) == [["a2", "b1"]]
    parts, _ = folded(changes(KpiEvent, "a1"), changes(OrderEvent, "a2"))
    assert list(parts) == [["a1", "a2"]]
    assert list(folded([], [])[0]) == []


def test_very_many_rows_are_told_some_at_a_time(folded):
    """They are sent before more records are applied; a row that changes again is sent again."""
    parts, applied = folded(changes(KpiEvent, "a1"), changes(KpiEvent, *"abcdefg"), changes(KpiEvent, "g2"))
    assert next(parts) == ["a", "b", "c"]
    assert len(applied) == 2
    assert list(parts) == [["d", "e", "f"], ["g"], ["g2"]]
