"""From an MQTT delivery to a record of the log: the same bytes, and how they came."""

import hashlib
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from aiokafka.partitioner import DefaultPartitioner

from schemas.raw import Kind, RawHeaders, Route, route

OVERSIZE_KEPT_BYTES = 4096

# Machines use the same few topics for years: what a topic means is looked up, not worked out again.
_TOPICS_KNOWN = 4096


class Delivery(NamedTuple):
    """One MQTT message as the broker handed it over."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


def digest_of(payload: bytes) -> str:
    """What tells payloads apart; the header `digest` of one that is cut."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


class Record(NamedTuple):
    """One record of the log, ready to be written."""

    kind: Kind
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Place(NamedTuple):
    """Where a topic's records go."""

    route: Route
    key: bytes | None
    partition: int


def places(partitions: int) -> Callable[[str], Place]:
    """What tells a topic's place in a log of so many partitions.

    A line's partition is the one that every Kafka client's default partitioner gives its key. A topic that
    names no line has no key; the checksum of the topic spreads these, and keeps each in order.
    """
    partitioner, numbers = DefaultPartitioner(), list(range(partitions))

    @lru_cache(_TOPICS_KNOWN)
    def place(topic: str) -> Place:
        routed = route(topic)
        if routed.line_id is None:
            return Place(routed, None, zlib.crc32(topic.encode()) % partitions)
        key = routed.line_id.encode()
        return Place(routed, key, partitioner(key, numbers, numbers))

    return place


def record_of(
    delivery: Delivery, place: Place, client: str, run: int, seq: int, backlog: bool, max_bytes: int
) -> Record:
    """The record of a delivery: its payload untouched, or the start of it where it is over `max_bytes`."""
    topic, payload, qos, retain, dup, mid = delivery
    kind, length, digest = place.route.kind, None, None
    if len(payload) > max_bytes:
        kind, length = Kind.OVERSIZE, len(payload)
        digest = digest_of(payload)
        payload = payload[:OVERSIZE_KEPT_BYTES]
    headers = RawHeaders(kind, topic, qos, retain, dup, mid, client, run, seq, backlog, length, digest)
    return Record(kind, place.partition, place.key, payload, headers.encode())
