"""Checkpoints: how far a rebuild has read each partition, and the lines' states at that offset.

A checkpoint is written in the transaction that writes the rows: a rebuild that was interrupted resumes from
the last one as if nothing had happened.
"""

from dataclasses import dataclass
from typing import Self

import msgspec
import psycopg

from rules.partition import Lines
from runtime.sql import composed
from schemas.state import LineState

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[LineState]).decode


@dataclass(frozen=True)
class Checkpoint:
    """A partition after the record before `next_offset`.

    Attributes:
        begin: the offset of the first record that was read; its time in ms, None where there was none.
        last_time: of the last record applied; ms. With `next_offset` it identifies the log.
    """

    partition: int
    begin: int
    begin_time: int | None
    next_offset: int
    last_time: int
    states: tuple[LineState, ...] = ()

    @classmethod
    def of(cls, lines: Lines, partition: int, begin: int, begin_time: int | None, last_time: int) -> Self:
        """The checkpoint of a partition's lines as they are now; each line is first brought up to its end."""
        lines.catch_up()
        states = tuple(lines.states.values())
        return cls(partition, begin, begin_time, lines.next_offset, last_time, states)

    def save(self, connection: psycopg.Connection, schema: str, refused: int) -> None:
        """Write it in the transaction that is open.

        Args:
            refused: how many rows PostgreSQL refused since the previous checkpoint.
        """
        values = {
            "partition": self.partition,
            "begin": self.begin,
            "begin_time": self.begin_time,
            "next_offset": self.next_offset,
            "last_time": self.last_time,
            "states": _encode(self.states),
            "refused": refused,
        }
        connection.execute(composed("rebuild.save_checkpoint", schema=schema), values)


def read_checkpoints(connection: psycopg.Connection, schema: str) -> dict[int, Checkpoint]:
    """The newest checkpoint of each partition.

    Raises:
        msgspec.MsgspecError: another release wrote them.
    """
    found = connection.execute(composed("rebuild.read_checkpoints", schema=schema)).fetchall()
    return {
        partition: Checkpoint(partition, begin, begin_time, next_offset, last_time, tuple(_decode(states)))
        for partition, begin, begin_time, next_offset, last_time, states in found
    }


def read_refused(connection: psycopg.Connection, schema: str) -> int:
    """How many rows PostgreSQL has refused so far."""
    row = connection.execute(composed("rebuild.read_refused", schema=schema)).fetchone()
    return 0 if row is None else int(row[0])
