"""A record of `production.raw`: the bytes that a machine sent, and how they came."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

TICK_SECONDS = 5
LINE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Kind(StrEnum):
    """What a raw record is; the header `kind`."""

    DATA = "data"
    STATUS = "status"
    ORDER = "order"
    UNROUTABLE = "unroutable"  # an MQTT topic that names no line or no kind
    OVERSIZE = "oversize"  # a payload over the limit, cut; headers `length` and `digest` tell of the whole
    TICK = "tick"  # time passes: value empty, key none, one per partition every TICK_SECONDS


_KINDS = {kind.encode(): kind for kind in Kind}
MQTT_KINDS = {Kind.DATA, Kind.STATUS, Kind.ORDER}


class Route(NamedTuple):
    """Where an MQTT topic leads: the line is None when it can't be told."""

    kind: Kind
    line_id: str | None


def route(topic: str) -> Route:
    """The kind and the line of an MQTT topic `production/<line>/<kind>`."""
    levels = topic.split("/")
    if len(levels) == 3 and levels[2] in MQTT_KINDS and LINE_ID.fullmatch(levels[1]):
        return Route(Kind(levels[2]), levels[1])
    return Route(Kind.UNROUTABLE, None)


class RawHeaders(NamedTuple):
    """The headers of a raw record, in the order in which they are written.

    A tick has `kind` and `run` only.
    """

    kind: Kind
    topic: str = ""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    mid: int = 0
    client: str = ""
    run: int = 0
    seq: int = 0
    backlog: bool = False
    length: int | None = None  # oversize only: bytes of the whole payload
    digest: str | None = None  # oversize only: blake2b (16 bytes, hex) of the whole payload

    def encode(self) -> list[tuple[str, bytes]]:
        """The headers as Kafka takes them."""
        if self.kind is Kind.TICK:
            return [("kind", b"tick"), ("run", b"%d" % self.run)]
        encoded = [
            ("kind", self.kind.encode()),
            ("topic", self.topic.encode()),
            ("qos", b"%d" % self.qos),
            ("retain", b"%d" % self.retain),
            ("dup", b"%d" % self.dup),
            ("mid", b"%d" % self.mid),
            ("client", self.client.encode()),
            ("run", b"%d" % self.run),
            ("seq", b"%d" % self.seq),
        ]
        if self.backlog:
            encoded.append(("backlog", b"1"))
        if self.length is not None:
            encoded.append(("length", b"%d" % self.length))
        if self.digest is not None:
            encoded.append(("digest", self.digest.encode()))
        return encoded

    @classmethod
    def decode(cls, headers: Iterable[tuple[str, bytes]]) -> "RawHeaders":
        """Read the headers of a record.

        Raises:
            ValueError, KeyError: the record was not written by a bridge.
        """
        found = dict(headers)
        kind = _KINDS.get(found.get("kind", b""))
        if kind is None:
            raise ValueError(f"header kind: {found.get('kind')!r}")
        run = int(found.get("run", 0))
        if kind is Kind.TICK:
            return cls(kind, run=run)
        length, digest = found.get("length"), found.get("digest")
        return cls(
            kind,
            found["topic"].decode(errors="replace"),
            int(found.get("qos", 0)),
            found.get("retain") == b"1",
            found.get("dup") == b"1",
            int(found.get("mid", 0)),
            found.get("client", b"").decode(errors="replace"),
            run,
            int(found.get("seq", 0)),
            "backlog" in found,
            None if length is None else int(length),
            None if digest is None else digest.decode(),
        )


class RawRecord(NamedTuple):
    """One record of the log, as the fold sees it."""

    partition: int
    offset: int
    received_at: int  # ms since 1970: the bridge's clock, the record's time in Kafka
    line_id: str | None  # the record's key; None for ticks and what can't be routed
    headers: RawHeaders
    payload: bytes
