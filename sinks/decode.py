"""Decodes records of derived topics into events, and makes dead letters of those that can't become rows."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import psycopg
from aiokafka import ConsumerRecord
from faust.types import TP

from plant.catalogue import sentence
from runtime.text import one_line
from schemas.errors import Poison
from schemas.events import DeadLetterEvent, Event, OpenRowsEvent
from schemas.ids import uuid_of
from schemas.instant import ms_of, text_of

LATEST = 253_402_300_799_999  # ms; the end of year 9999, the last that Python and ISO 8601 text can express
UNREADABLE = (Exception,)  # not JSON, nested too deeply, no value; and whatever else decoding may fail on
LONGEST_REASON = 500  # characters of an error message of PostgreSQL or the JSON parser
_decode_any = msgspec.json.Decoder(Event).decode


@dataclass(frozen=True)
class OlderReleaseEvent:
    """An event of an older release, which lacks some of a row's columns of today.

    Attributes:
        generation: of the rules that made it.
        lacks: the columns for which it has no value.
    """

    generation: int
    lacks: tuple[str, ...]


Decoded = Event | OlderReleaseEvent | Poison


class Reader:
    """Reads the records of one topic: events of one type."""

    def __init__(self, event: type[Event]) -> None:
        self._decode: Callable[[bytes], Event] = msgspec.json.Decoder(event).decode
        self._decode_open_rows: Callable[[bytes], Event] = msgspec.json.Decoder(OpenRowsEvent).decode
        self._needed = [field.encode_name for field in msgspec.structs.fields(event) if field.required]

    def read(self, records: Sequence[ConsumerRecord]) -> Sequence[Decoded]:
        """The events of the records, in their order; a poison for a record that is no event."""
        try:
            return [self._decode(record.value) for record in records]
        except MemoryError:  # a failure of this machine, not of a record
            raise
        except UNREADABLE:
            return [self._one(record.value) for record in records]

    def _one(self, value: bytes | None) -> Decoded:
        try:
            return self._decode(value or b"")
        except UNREADABLE as error:
            with contextlib.suppress(*UNREADABLE):
                return self._decode_open_rows(value or b"")
            with contextlib.suppress(*UNREADABLE):
                return self._older_release(value or b"") or Poison("not_event", why=_short(error))
            return Poison("not_event", why=_short(error))

    def _older_release(self, value: bytes) -> OlderReleaseEvent | None:
        generation = _decode_any(value).generation
        fields = msgspec.json.decode(value)
        lacks = tuple(name for name in self._needed if name not in fields)
        return OlderReleaseEvent(generation, lacks) if lacks else None


def refused(error: Exception) -> Poison:
    """The poison of one row: PostgreSQL's error message, or why the row could not be sent."""
    return Poison("refused" if isinstance(error, psycopg.Error) else "not_event", why=_short(error))


def dead_letter(record: ConsumerRecord, poison: Poison, lang: str) -> DeadLetterEvent:
    """The dead letter of a record that can't become a row: its place in the log, the reason, its bytes."""
    key = (record.key or b"").decode(errors="replace").replace("\0", "�")
    return DeadLetterEvent(
        generation=0,
        version=(0, 0),
        id=uuid_of("sink", record.topic, record.partition, record.offset),
        line_id=key,
        line=key,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        mqtt_topic=None,
        payload=record.value or b"",
        reason=poison.reason,
        detail=sentence(lang, f"poison.{poison.reason}", **poison.facts),
        received_at=text_of(time_of(record)),
    )


def loss(tp: TP, reason: str, first: int, last: int, lang: str) -> DeadLetterEvent:
    """The dead letter of lost events: `expired` before they became rows, or `log_lost` with their log."""
    return DeadLetterEvent(
        generation=0,
        version=(0, 0),
        id=uuid_of("sink", reason, tp.topic, tp.partition, first, last),
        line_id="",
        line="",
        topic=tp.topic,
        partition=tp.partition,
        offset=first,
        mqtt_topic=None,
        payload=b"",
        reason=reason,
        detail=sentence(lang, f"poison.{reason}", first=first, last=last),
        received_at=text_of(ms_of(datetime.now(UTC))),
    )


def encode(events: Sequence[Event]) -> str:
    """Events as one JSON array."""
    return msgspec.json.encode(events).decode()


def time_of(record: ConsumerRecord) -> int:
    """The record's time in ms, limited to what PostgreSQL and text can hold: any client may have set it."""
    return int(min(max(record.timestamp, 0), LATEST))


def _short(error: Exception) -> str:
    return one_line(error).replace("\0", "�")[:LONGEST_REASON]
