"""The ledger: what was published, how often, and what the broker acknowledged."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import msgspec

from chaos.message import Kind, Message

Event = Literal["sent", "acked", "again"]


class Entry(msgspec.Struct, omit_defaults=True, gc=False):
    """A line of the file. Only `sent` describes the message; `made`: when it was made, ms since 1970."""

    n: int
    event: Event
    line: str = ""
    kind: Kind = "data"
    topic: str = ""
    numbered: bool = True  # the number can be read from the payload or the topic
    made: int = 0
    at: int | None = None  # this and the next two as in Message
    pieces: int | None = 0
    running: bool | None = None


@dataclass(slots=True)
class Sent:
    """What is known of a number. If it was sent several times, the broker may have accepted it as often."""

    line: str
    kind: Kind
    topic: str
    numbered: bool
    made: int = 0
    at: int | None = None
    pieces: int | None = 0
    running: bool | None = None
    times: int = 1
    acked: bool = False

    @property
    def least(self) -> int:
        """How many times it must be there."""
        return 1 if self.acked else 0


def sent_at(made: int, message: Message) -> Entry:
    """The entry of a message that is handed to the client at `made` (ms since 1970)."""
    n, line, kind, topic, _, numbered, at, pieces, running = message
    return Entry(n, "sent", line, kind, topic, numbered, made, at, pieces, running)


class LedgerFile:
    """Writes a ledger, one event per line. After `flush` the lines are with the operating system."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")
        self._encode = msgspec.json.Encoder().encode

    def sent(self, message: Message) -> None:
        """Note a message, before it is handed to the client."""
        self._file.write(self._encode(sent_at(int(time.time() * 1000), message)) + b"\n")

    def acked(self, n: int) -> None:
        """Note that the broker has acknowledged it."""
        self._file.write(self._encode(Entry(n, "acked")) + b"\n")

    def again(self, n: int) -> None:
        """Note that the client sends it again: the connection ended before the acknowledgement."""
        self._file.write(self._encode(Entry(n, "again")) + b"\n")

    def flush(self) -> None:
        """Hand what is written to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Ledger:
    """What was sent under each number, and whether the broker acknowledged it."""

    def __init__(self) -> None:
        self.sent: dict[int, Sent] = {}

    @classmethod
    def read(cls, *paths: Path) -> "Ledger":
        """Read ledgers whose numbers differ; an incomplete last line is skipped.

        Raises:
            ValueError: a number is acknowledged that was never sent, or sent as two messages.
        """
        ledger = cls()
        decode = msgspec.json.Decoder(Entry).decode
        for path in paths:
            for line in _lines(path):
                ledger.add(decode(line))
        return ledger

    def add(self, entry: Entry) -> None:
        """Add an event.

        Raises:
            ValueError: as `read`.
        """
        n, known = entry.n, self.sent.get(entry.n)
        if entry.event == "sent":
            if known is not None:
                raise ValueError(f"the ledger holds number {n} twice")
            self.sent[n] = Sent(
                entry.line,
                entry.kind,
                entry.topic,
                entry.numbered,
                entry.made,
                entry.at,
                entry.pieces,
                entry.running,
            )
        elif known is None:
            raise ValueError(f"the ledger holds {entry.event!r} of number {n}, which was never sent")
        elif entry.event == "acked":
            known.acked = True
        else:
            known.times += 1

    @property
    def acked(self) -> int:
        """How many messages the broker has acknowledged."""
        return sum(sent.acked for sent in self.sent.values())


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
