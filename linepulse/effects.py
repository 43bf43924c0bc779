"""How the effect of a person's message is seen in PostgreSQL: in the row of an order or a stop."""

from datetime import UTC, datetime
from typing import Any

from linepulse.outcome import Effect, Outcome, Row, Rows, version

DONE = {"completed", "cancelled"}
ENDS = {"close": "completed", "cancel": "cancelled"}


class OrderAdded(Effect):
    """A new order, or a waiting one that is modified."""

    def __init__(self, line: str, fields: dict[str, Any]) -> None:
        """`fields`: those of the message, with `orderNumber`."""
        self._line, self._fields, self._number = line, fields, fields["orderNumber"]
        self._before: Row | None = None

    def note(self, rows: Rows) -> Outcome | None:
        """An order that runs or is done can't be planned again."""
        self._before = row = rows.one("effects.order", line=self._line, number=self._number)
        return None if row is None or row["status"] == "waiting" else self._exists(row)

    def look(self, rows: Rows, payload: bytes) -> Outcome | None:  # noqa: ARG002 - the row suffices
        """Applied once its row is new or has changed, and has the values that were asked for."""
        row, before = rows.one("effects.order", line=self._line, number=self._number), self._before
        if row is None or (before is not None and version(row) <= version(before)):
            return None
        if (row["product"], row["quantity"]) != (self._fields["productType"], self._fields["quantity"]):
            # Somebody else planned the same number, or the order started before it could be modified.
            return None if row["status"] == "waiting" else self._exists(row)
        facts = {"line": self._line, "number": self._number}
        if before is None:
            return Outcome("applied", "asked.order_added", facts, [row])
        was = {"product": before["product"], "quantity": before["quantity"], "priority": before["priority"]}
        changes = ", ".join(
            f"{name} {value} -> {row[name]}" for name, value in was.items() if value != row[name]
        )
        return Outcome("applied", "asked.order_modified", {**facts, "changes": changes or "="}, [row])

    def _exists(self, row: Row) -> Outcome:
        facts = {"line": self._line, "number": self._number, "status": row["status"]}
        return Outcome("refused", "asked.order_exists", facts, [row])


class OrderEnded(Effect):
    """An order that is closed or cancelled; without a number, the running one."""

    def __init__(self, line: str, fields: dict[str, Any]) -> None:
        """`fields`: those of the message; the running order's number is added once it is known."""
        self._line, self._fields = line, fields
        self._wanted = ENDS[fields["action"]]
        self._last: tuple[int, int] | None = None

    def note(self, rows: Rows) -> Outcome | None:
        """An order that is done is not ended again. Else put its number into the message."""
        row = rows.one("effects.order", line=self._line, number=self._fields["orderNumber"])
        if row is not None and row["status"] in DONE:
            return self._done(row, already=True)
        if row is not None:
            self._fields["orderNumber"] = row["number"]
        return None

    def look(self, rows: Rows, payload: bytes) -> Outcome | None:  # noqa: ARG002 - the row suffices
        """Applied once the order has ended."""
        if self._fields["orderNumber"] is None:
            return None  # none was running: there will be a refusal
        row = rows.one("effects.order", line=self._line, number=self._fields["orderNumber"])
        return None if row is None or row["status"] not in DONE else self._done(row, already=False)

    def _done(self, row: Row, *, already: bool) -> Outcome:
        facts = {"line": self._line, "number": row["number"], "status": row["status"]}
        if row["status"] != self._wanted:
            return Outcome("refused", "asked.order_done", facts, [row])
        return Outcome(
            "unchanged" if already else "applied",
            "asked.order_unchanged" if already else "asked.order_ended",
            facts,
            [row],
        )


class OrderCorrected(Effect):
    """An order whose quantity, or number of rejects, is changed."""

    def __init__(self, line: str, number: str, quantity: int | None, change: int) -> None:
        self._line, self._number, self._quantity, self._change = line, number, quantity, change
        self._before: Row | None = None

    def note(self, rows: Rows) -> Outcome | None:
        """Remember the row."""
        self._before = rows.one("effects.order", line=self._line, number=self._number)
        return None

    def look(self, rows: Rows, payload: bytes) -> Outcome | None:  # noqa: ARG002 - the row suffices
        """Applied once the row has the values asked for. A running order's row also changes by itself: then a
        refusal may still come."""
        row, before = rows.one("effects.order", line=self._line, number=self._number), self._before
        if row is None or (before is not None and version(row) <= version(before)):
            return None
        if self._quantity not in (None, row["quantity"]):
            return None
        sure = before is not None and self._quantity not in (None, before["quantity"])
        had = 0 if before is None else before["defects"]
        more, less = row["defects"] >= had + self._change, row["defects"] < had
        if not sure and not (self._change == 0 or (more if self._change > 0 else less)):
            return None
        facts = {"number": self._number, "quantity": row["quantity"], "defects": row["defects"]}
        was = {"was_quantity": "?", "was_defects": "?"}
        if before is not None:
            was = {"was_quantity": before["quantity"], "was_defects": before["defects"]}
        waits = before is not None and before["status"] != "running"
        return Outcome("applied", "asked.order_corrected", {**facts, **was}, [row], sure=sure or waits)


class StopDeclared(Effect):
    """A stop that gets a reason or is declared planned: by its id, a time within it, or the latest one."""

    def __init__(
        self, line: str, *, stop: str | None, at: int | None, reason: str | None, planned: bool | None
    ) -> None:
        """`at`: ms since 1970."""
        moment = None if at is None else datetime.fromtimestamp(at / 1000, UTC)
        self._which = {"line": line, "stop": stop, "at": moment if stop is None else None}
        self._reason, self._planned = reason, planned
        self._before: dict[str, Row] = {}

    def note(self, rows: Rows) -> Outcome | None:
        """Remember the rows of the stops that may be meant."""
        self._before = {row["id"]: row for row in rows.all("effects.stops", **self._which)}
        return None

    def look(self, rows: Rows, payload: bytes) -> Outcome | None:  # noqa: ARG002 - the row suffices
        """Applied once one of them has changed, and has the values that were asked for."""
        for row in rows.all("effects.stops", **self._which):
            before = self._before.get(row["id"])
            if before is not None and version(row) <= version(before):
                continue
            if self._reason not in (None, row["reason"]):
                continue
            if self._planned and row["category"] != "planned":
                continue
            now = row["reason"], row["category"]
            sure = before is not None and (before["reason"], before["category"]) != now
            facts = {"line": row["line"], "reason": row["reason"] or "-", "category": row["category"]}
            return Outcome("applied", "asked.stop_told", facts, [row], sure=sure)
        return None
