"""What causes events: a record, as the rules see it once its bytes are read and its time is decided."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from plant.calendar import Calendar, Demand, Shift
from plant.line_rules import LineRules
from plant.rules import Rules
from schemas.data import Data
from schemas.ids import uuid_of_name
from schemas.instant import text_of
from schemas.state import Mode


class RecordContext(Struct, frozen=True, gc=False):
    """The record behind a step, and the rules in force at its time."""

    rules: Rules
    line_rules: LineRules
    calendar: Calendar
    line_id: str
    line_name: str  # as people know it
    partition: int
    offset: int
    received_at: int  # ms; never behind the line's previous record

    @property
    def event_id(self) -> str:
        """The record's identifier."""
        # As `uuid_of` does it; each message has one.
        return uuid_of_name(f"{self.line_id}\x1f{self.received_at}\x1f{self.partition}\x1f{self.offset}")

    def at(self, ms: int) -> "RecordContext":
        """With the rules in force at an event time."""
        rules = self.rules.line(self.line_id, ms)
        return self if rules is self.line_rules else replace(self, line_rules=rules)

    def stamp(self, row_id: str) -> dict[str, Any]:
        """What every event says of itself."""
        return {
            "generation": self.rules.generation,
            "version": (self.received_at, self.offset),
            "id": row_id,
            "line_id": self.line_id,
            "line": self.line_name,
        }

    @property
    def seen_at(self) -> str:
        """The record's `received_at` as text: `createdAt` and `updatedAt` of what it causes."""
        return text_of(self.received_at)

    def shift(self, at: int) -> Shift:
        """The shift of a point in time."""
        return self.calendar.shift(at)

    def demand(self, at: int) -> Demand:
        """What is asked of the line at a point in time."""
        return self.calendar.demand(at)


class Sample(Struct, frozen=True, gc=False):
    """A data message once decided: event time, increments, and what holds from it on."""

    data: Data
    at: int  # event time, ms
    late: bool  # behind the line's clock: its pieces count, its state does not
    pieces: int
    defects: int
    target_rate: float | None
    rate: float | None
    mode: Mode
    known: bool = True  # when it was made
    ruled: bool = False  # whether the plant's rules gave the target rate
    reports_mode: bool = False  # whether the message says if the line runs, or its pieces have to
