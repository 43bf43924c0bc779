"""A partition's part of the tape: records in a file, read from any offset."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

MARK_EVERY = 1000  # records between two offsets whose position in the file is remembered
_LENGTH = struct.Struct(">I")


class TapeError(Exception):
    """The tape does not hold what the log held."""


class Taped(NamedTuple):
    """A record as it was in the log; attributes as in aiokafka's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: list[tuple[str, bytes]]
    value: bytes | None
    superseded: bool  # written by a bridge that another one had replaced


def mqtt_topic_of(record: Taped) -> str:
    """The topic on which the message was published; empty for ticks and records that no bridge wrote."""
    return dict(record.headers).get("topic", b"").decode(errors="replace")


class PartitionTape:
    """One partition's part of the tape, in a file."""

    def __init__(self, path: Path) -> None:
        self.next_offset = 0
        self.last_time = 0
        self.left_out: list[range] = []
        self._path = path
        self._file = path.open("wb")
        self._size = 0
        self._run = 0
        self._marks: list[tuple[int, int]] = []  # (offset, position in the file)
        self._encode = msgspec.msgpack.Encoder().encode

    def append(self, record: Any) -> None:
        """Append the next record.

        Raises:
            TapeError: its offset is not the next one.
        """
        if record.offset != self.next_offset:
            raise TapeError(f"record {record.offset} comes where {self.next_offset} was to come")
        if record.offset % MARK_EVERY == 0:
            self._marks.append((record.offset, self._size))
        run = int(dict(record.headers).get("run", b"0"))
        self._run = max(self._run, run)
        taped = Taped(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.key,
            list(record.headers),
            record.value,
            run < self._run,
        )
        coded = self._encode(taped)
        self._file.write(_LENGTH.pack(len(coded)) + coded)
        self._size += _LENGTH.size + len(coded)
        self.next_offset += 1
        self.last_time = max(self.last_time, record.timestamp)

    def read(self, first: int) -> Iterator[Taped]:
        """The records from offset `first` on that are there when it is called."""
        if not self._file.closed:
            self._file.flush()
        end, decode = self.next_offset, msgspec.msgpack.Decoder(Taped).decode
        index = bisect_right(self._marks, (first, self._size)) - 1
        if index < 0 or first >= end:
            return
        with self._path.open("rb") as file:
            offset, position = self._marks[index]
            file.seek(position)
            while offset < end:
                (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
                coded = file.read(length)
                if offset >= first:
                    yield decode(coded)
                offset += 1

    def close(self) -> None:
        """Stop writing; what is there can still be read."""
        self._file.close()
