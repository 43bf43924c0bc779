"""A record of a derived topic, read: an event, or a dead letter about it."""

from collections.abc import Callable, Sequence

import msgspec
from aiokafka import ConsumerRecord

from runtime.catalogue import tell
from schemas.errors import Poison
from schemas.events import DeadLetterEvent, Event
from schemas.ids import uuid_of
from schemas.instant import text_of

LATEST = 253_402_300_799_999  # ms; the year 9999, after which neither Python nor text goes on
UNREADABLE = (ValueError, RecursionError, TypeError)  # not JSON, too deep, no value at all
LONGEST_REASON = 500  # characters of what PostgreSQL or the JSON parser says


class Reader:
    """Reads the records of one topic: events of one type."""

    def __init__(self, event: type[Event]) -> None:
        self._decode: Callable[[bytes], Event] = msgspec.json.Decoder(event).decode

    def read(self, records: Sequence[ConsumerRecord]) -> Sequence[Event | Poison]:
        """The events of the records, in their order; a poison where somebody else wrote something."""
        try:
            return [self._decode(record.value) for record in records]
        except UNREADABLE:
            return [self._one(record.value) for record in records]

    def _one(self, value: bytes | None) -> Event | Poison:
        try:
            return self._decode(value or b"")
        except UNREADABLE as error:
            return Poison("not_event", why=_short(error))


def refused(error: Exception) -> Poison:
    """What PostgreSQL said of one row, as a poison."""
    return Poison("refused", why=_short(error))


def dead_letter(record: ConsumerRecord, poison: Poison, lang: str) -> DeadLetterEvent:
    """The dead letter of a record that can't become a row: where it is, why, and its bytes."""
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
        detail=tell(lang, f"poison.{poison.reason}", **poison.facts),
        received_at=text_of(time_of(record)),
    )


def encode(events: Sequence[Event]) -> str:
    """Events as one JSON array."""
    return msgspec.json.encode(events).decode()


def time_of(record: ConsumerRecord) -> int:
    """The record's time in ms, within what PostgreSQL and text can hold: anybody may have written it."""
    return int(min(max(record.timestamp, 0), LATEST))


def _short(error: Exception) -> str:
    return " ".join(str(error).replace("\0", "�").split())[:LONGEST_REASON]
