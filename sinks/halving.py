"""Isolates refused rows: parts that hold one are halved until it is alone; all others are written."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import psycopg

Row = TypeVar("Row")


def is_refusal(error: Exception) -> bool:
    """Whether the rows are at fault, so that waiting would not help.

    PostgreSQL's error classes 22 (data) and 23 (constraints), and two codes that follow from the data as
    well: 54000 (a text too long for an index) and 21000 (one statement holds a row twice, its ids written in
    two ways). Also what psycopg refuses to send: a NUL, or half of a surrogate pair.
    """
    if not isinstance(error, psycopg.Error):
        return isinstance(error, UnicodeEncodeError)
    code = error.sqlstate
    if code is None:
        return isinstance(error, psycopg.DataError)
    return code[:2] in ("22", "23") or code in ("54000", "21000")


class Halving(Generic[Row]):
    """Iterates over the parts of some rows, in their order; the caller writes each and reports refusals.

    Attributes:
        refused: the rows that were refused alone, each with the error.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._waiting = [rows] if rows else []
        self.refused: list[tuple[Row, Exception]] = []

    def __iter__(self) -> Iterator[Sequence[Row]]:
        """The next part, until none is left: at first all rows."""
        while self._waiting:
            yield self._waiting.pop()

    def __bool__(self) -> bool:
        """Whether a part is left."""
        return bool(self._waiting)

    def repeat(self, part: Sequence[Row]) -> None:
        """Yield the part again: the caller will write it by another statement."""
        self._waiting.append(part)

    def refuse(self, part: Sequence[Row], error: Exception) -> None:
        """Report that the part was refused and nothing of it is written: its halves come next."""
        if len(part) == 1:
            self.refused.append((part[0], error))
            return
        half = len(part) // 2
        self._waiting += [part[half:], part[:half]]
