"""A record of `production.raw`: the bytes that a machine sent, and headers about their delivery."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

TICK_SECONDS = 5
MAX_RUN = 2**53
LINE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Kind(StrEnum):
    """What a raw record is; the header `kind`."""

    DATA = "data"
    STATUS = "status"
    ORDER = "order"
    UNROUTABLE = "unroutable"  # an MQTT topic that names no line or no kind
    OVERSIZE = "oversize"  # a payload over the limit, cut; `length` and `digest` are those of the whole
    TICK = "tick"  # time passes: value empty, key none, one per partition every TICK_SECONDS


# Module-level names: looking up an enum's member costs more than the comparison, and every record needs some.
DATA, STATUS, ORDER, TICK = Kind.DATA, Kind.STATUS, Kind.ORDER, Kind.TICK
UNROUTABLE, OVERSIZE = Kind.UNROUTABLE, Kind.OVERSIZE
_KINDS = {kind.encode(): kind for kind in Kind}
MQTT_KINDS = {Kind.DATA, Kind.STATUS, Kind.ORDER}


class Route(NamedTuple):
    """What an MQTT topic says: the kind of message and its line, None if it names none."""

    kind: Kind
    line_id: str | None


def route(topic: str) -> Route:
    """The kind and the line of an MQTT topic `production/<line>/<kind>`."""
    levels = topic.split("/")
    if len(levels) == 3 and levels[2] in MQTT_KINDS and LINE_ID.fullmatch(levels[1]):
        return Route(Kind(levels[2]), levels[1])
    return Route(Kind.UNROUTABLE, None)


class RawHeaders(Struct, frozen=True, gc=False):
    """The headers of a raw record, in the order in which they are written.

    A tick has `kind`, `run` and `client` only; one of an older release has no `client`.
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
            tick = [("kind", b"tick"), ("run", b"%d" % self.run)]
            return [*tick, ("client", self.client.encode())] if self.client else tick
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
            ValueError, KeyError, TypeError, AttributeError: the record was not written by a bridge.
        """
        headers = tuple(headers)
        return _as_written(headers) or cls._decode(dict(headers))

    @classmethod
    def _decode(cls, found: dict[str, bytes]) -> "RawHeaders":
        kind = _KINDS.get(found.get("kind", b""))
        if kind is None:
            raise ValueError(f"header kind: {found.get('kind')!r}")
        run = _run(found.get("run", b"0"))
        if kind is Kind.TICK:
            return cls(kind, client=_text(found.get("client", b"")), run=run)
        length, digest = found.get("length"), found.get("digest")
        return cls(
            kind,
            _text(found["topic"]),
            int(found.get("qos", 0)),
            found.get("retain") == b"1",
            found.get("dup") == b"1",
            int(found.get("mid", 0)),
            _text(found.get("client", b"")),
            run,
            int(found.get("seq", 0)),
            "backlog" in found,
            None if length is None else int(length),
            None if digest is None else digest.decode(),
        )


_WRITTEN = 9  # headers of a usual message


@lru_cache(maxsize=4096)
def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\0", "�")  # which PostgreSQL does not take


@lru_cache(maxsize=64)
def _run(value: bytes) -> int:
    run = int(value)
    if not 0 <= run <= MAX_RUN:
        raise ValueError(f"header run: {run}")
    return run


def _as_written(headers: tuple[tuple[str, bytes], ...]) -> RawHeaders | None:
    """The headers of a usual message, by position instead of by name: this runs for every record."""
    if len(headers) != _WRITTEN:
        return None
    (a, kind), (b, topic), (c, qos), (d, retain), (e, dup), (f, mid), (g, client), (h, run), (i, seq) = (
        headers
    )
    in_order = (
        a == "kind" and b == "topic" and c == "qos" and d == "retain" and e == "dup"
        and f == "mid" and g == "client" and h == "run" and i == "seq"
    )  # fmt: skip
    if not in_order or kind not in _KINDS:
        return None
    return RawHeaders(
        _KINDS[kind],
        _text(topic),
        int(qos),
        retain == b"1",
        dup == b"1",
        int(mid),
        _text(client),
        _run(run),
        int(seq),
    )


class RawRecord(Struct, frozen=True, gc=False):
    """One record of the log, as the fold sees it."""

    partition: int
    offset: int
    received_at: int  # ms since 1970: the bridge's clock, the record's time in Kafka
    line_id: str | None  # the record's key; None for ticks and unroutable messages
    headers: RawHeaders
    payload: bytes
    wrong_time: int | None = None  # its time in the log, if `[[log_clock]]` says that it is wrong

    @property
    def log_time(self) -> int:
        """Its time in the log, right or wrong."""
        return self.received_at if self.wrong_time is None else self.wrong_time
