"""From an MQTT delivery to a record of the log: the same bytes, with headers that say how they arrived."""

import hashlib
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from aiokafka.partitioner import DefaultPartitioner

from schemas.raw import Kind, RawHeaders, Route, route

OVERSIZE_KEPT_BYTES = 4096

# Machines use the same few topics for years, so the parsed topics are cached.
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
    """Identifies a payload; the header `digest` of one that is truncated."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


class Record(NamedTuple):
    """One record of the log, ready to be written."""

    kind: Kind
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Destination(NamedTuple):
    """Where a topic's records go."""

    route: Route
    key: bytes | None
    partition: int


def destinations(partitions: int) -> Callable[[str], Destination]:
    """A function that finds the destination of an MQTT topic in a log of so many partitions.

    A line's partition is the one that every Kafka client's default partitioner gives its key. A topic that
    names no line has no key; the checksum of the topic spreads such topics over the partitions, and keeps
    each in order.
    """
    partitioner, numbers = DefaultPartitioner(), list(range(partitions))

    @lru_cache(_TOPICS_KNOWN)
    def destination(topic: str) -> Destination:
        routed = route(topic)
        if routed.line_id is None:
            return Destination(routed, None, zlib.crc32(topic.encode()) % partitions)
        key = routed.line_id.encode()
        return Destination(routed, key, partitioner(key, numbers, numbers))

    return destination


def record_of(
    delivery: Delivery,
    destination: Destination,
    client: str,
    run: int,
    seq: int,
    backlog: bool,
    max_bytes: int,
) -> Record:
    """The record of a delivery: its payload untouched, or only its start if it is over `max_bytes`."""
    topic, payload, qos, retain, dup, mid = delivery
    kind, length, digest = destination.route.kind, None, None
    if len(payload) > max_bytes:
        kind, length = Kind.OVERSIZE, len(payload)
        digest = digest_of(payload)
        payload = payload[:OVERSIZE_KEPT_BYTES]
    headers = RawHeaders(kind, topic, qos, retain, dup, mid, client, run, seq, backlog, length, digest)
    return Record(kind, destination.partition, destination.key, payload, headers.encode())
