"""From delivery to record."""

import hashlib

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from bridge.record import OVERSIZE_KEPT_BYTES, Delivery, Record, destinations, record_of
from schemas.raw import Kind, RawHeaders

PLACE = destinations(6)
LIMIT = 1024


def record(topic: str, payload: bytes = b"{}", **how: int) -> Record:
    given_how = {"qos": 1, "retain": False, "dup": False, "mid": 7} | how
    delivery = Delivery(topic, payload, **given_how)  # type: ignore[arg-type]
    return record_of(delivery, PLACE(topic), "bridge", run=3, seq=12, backlog=False, max_bytes=LIMIT)


def headers(made: Record) -> RawHeaders:
    return RawHeaders.decode(made.headers)


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.STATUS, Kind.ORDER])
def test_a_line_is_the_key(kind: Kind) -> None:
    """`production/ligne1/<kind>` goes to the line's partition, with headers that say how it arrived."""
    made = record(f"production/ligne1/{kind}", dup=True)
    assert (made.kind, made.key, made.value) == (kind, b"ligne1", b"{}")
    assert headers(made) == RawHeaders(
        kind, f"production/ligne1/{kind}", qos=1, dup=True, mid=7, client="bridge", run=3, seq=12
    )


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_.-", min_size=1, max_size=64))
def test_a_lines_partition_is_the_one_of_every_kafka_client(line: str) -> None:
    """A record that another tool writes with the line as key is in the same partition."""
    numbers = list(range(6))
    assert PLACE(f"production/{line}/data").partition == DefaultPartitioner()(line.encode(), numbers, numbers)


@given(st.binary(max_size=LIMIT))
def test_the_payload_is_untouched(payload: bytes) -> None:
    """Whatever bytes they are."""
    assert record("production/ligne1/data", payload).value == payload


@pytest.mark.parametrize("topic", ["production/ligne é/data", "production//data", "production/a/b/data", "x"])
def test_what_names_no_line_is_unroutable(topic: str) -> None:
    """It has no key, its topic is kept, and the same topic always has the same partition."""
    made = record(topic, b"\xff")
    assert (made.kind, made.key, made.value) == (Kind.UNROUTABLE, None, b"\xff")
    assert headers(made).topic == topic
    assert made.partition == record(topic).partition


def test_a_payload_over_the_limit_is_cut_and_described() -> None:
    """Its start is kept, with the length and the digest of the whole; its line keeps it in order."""
    payload = bytes(range(256)) * 40
    made = record("production/ligne1/data", payload)
    assert (made.kind, made.key) == (Kind.OVERSIZE, b"ligne1")
    assert made.value == payload[:OVERSIZE_KEPT_BYTES]
    assert headers(made).length == 10_240
    assert headers(made).digest == hashlib.blake2b(payload, digest_size=16).hexdigest()


def test_a_payload_at_the_limit_is_whole() -> None:
    """The limit itself is allowed."""
    assert record("production/ligne1/data", b"x" * LIMIT).kind is Kind.DATA
    assert record("production/ligne1/data", b"x" * (LIMIT + 1)).kind is Kind.OVERSIZE
