"""The rows that PostgreSQL must hold: those of the pure fold over the whole tape, kept as digests."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import UnionType
from typing import IO, Any, NamedTuple, get_args

import msgspec
from faust.types import TP

from chaos.tape import Tape
from plant.rules import Rules
from rules.partition import Lines
from runtime.batches import Batch
from schemas.events import Event
from sinks.tables import TABLES, Table
from streams.agent import fold_batch
from streams.failures import report

AT_ONCE = 5000  # records; only a row's last form among them is formed
Row = tuple[Any, ...]


class Kept(NamedTuple):
    """An expected row: its digest, and its position in the file."""

    digest: bytes
    position: int


def columns(table: Table) -> tuple[str, ...]:
    """The columns that events fill: the id first, the two of the version last."""
    others = tuple(name for name in table.columns if name != "id")
    return ("id", *others, "versionTime", "versionOffset") if table.versioned else ("id", *others)


def digest(row: Row) -> bytes:
    """Rows are the same if their digests are: floats to the last bit."""
    return hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def row_maker(table: Table) -> Callable[[Event], Row]:
    """A function that makes the row of an event of the table, with the columns of `columns`."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(table.event)}
    filled = [fields[column] for column in columns(table) if column in fields]
    names = [field.name for field in filled]
    floats = [index for index, field in enumerate(filled) if _is_float(field.type)]

    def row(event: Event) -> Row:
        values = [getattr(event, name) for name in names]
        for index in floats:  # a rule may give an integer for a float
            if values[index] is not None:
                values[index] = float(values[index])
        return (*values, *event.version) if table.versioned else tuple(values)

    return row


def _is_float(kind: Any) -> bool:
    return kind is float or (isinstance(kind, UnionType) and float in get_args(kind))


class Expected:
    """The expected rows of one table by id: digests in memory, the rows themselves in a file."""

    def __init__(self, table: Table) -> None:
        self.rows: dict[str, Kept] = {}
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the object
        self._size = 0
        self._row = row_maker(table)
        self._encode = msgspec.msgpack.Encoder().encode

    def put(self, event: Event) -> None:
        """Set the row of an event to this form."""
        row = self._row(event)
        coded = self._encode(row)
        self._file.write(len(coded).to_bytes(4, "big") + coded)
        self.rows[event.id] = Kept(digest(row), self._size)
        self._size += 4 + len(coded)

    def read(self, position: int) -> Row:
        """The row at a position of the file."""
        self._file.seek(position)
        coded = self._file.read(int.from_bytes(self._file.read(4), "big"))
        return tuple(msgspec.msgpack.decode(coded))

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def fold_tape(tape: Tape, rules: Rules) -> Mapping[str, Expected]:
    """Fold the tape; return the expected rows by table."""
    expected = {table.name: Expected(table) for table in TABLES}
    table_of = {table.event: expected[table.name] for table in TABLES}
    for partition in tape.partitions:
        lines = Lines(rules, tape.topic, partition, failed=report)
        where = TP(tape.topic, partition)
        records = iter(tape.records(partition))
        while some := list(islice(records, AT_ONCE)):
            _put_all(table_of, fold_batch(lines, Batch(where, some, 0)))
    return expected


def _put_all(table_of: Mapping[type[Event], Expected], events: Iterable[Event]) -> None:
    for event in events:
        table_of[type(event)].put(event)
