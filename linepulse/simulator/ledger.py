"""What was sent, by line: the sums that the database must show."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from linepulse.simulator.plant import Message


@dataclass
class Sent:
    """A line's acknowledged data messages, the pieces and defects in them, and its status messages."""

    messages: int = 0
    pieces: int = 0
    defects: int = 0
    statuses: int = 0


class Receipt(NamedTuple):
    """What an acknowledgement adds."""

    line_id: str
    kind: str
    pieces: int
    defects: int

    @classmethod
    def of(cls, line_id: str, message: Message) -> "Receipt":
        """The receipt of one message."""
        fields = message.payload
        return cls(line_id, message.kind, fields.get("count", 0), fields.get("defects", 0))


@dataclass
class Ledger:
    """The sums, line by line."""

    lines: dict[str, Sent] = field(default_factory=dict)

    def add(self, receipt: Receipt) -> None:
        """Count one acknowledged message."""
        sent = self.lines[receipt.line_id]
        if receipt.kind == "status":
            sent.statuses += 1
        else:
            sent.messages += 1
            sent.pieces += receipt.pieces
            sent.defects += receipt.defects

    def as_json(self) -> dict[str, Any]:
        """`{"lines": {"ligne1": {"messages": …, "pieces": …, "defects": …, "statuses": …}}}`."""
        return asdict(self)
