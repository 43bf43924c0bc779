"""One MQTT message, and the number that identifies it everywhere."""

import re
from typing import Literal, NamedTuple

Kind = Literal["data", "status", "order", "poison"]

PROBES = 900_000_000
"""Numbers from here on are probes: `pressure` holds up to 1e9."""

_IN_PAYLOAD = re.compile(rb'"(?:pressure|n)": ?(\d{1,9})\b|\bn(\d{1,9})\b')
_IN_TOPIC = re.compile(r"n(\d{1,9})/\w+$")
_SEARCHED_BYTES = 512


class Message(NamedTuple):
    """One MQTT message and its number in the ledger.

    Attributes:
        numbered: the number can be read back from its row, its dead letter or its raw record. Messages that
            can't carry a number are only counted by topic.
        at: its timestamp (ms since 1970); None: it has none, or one that must not be believed.
        pieces: how many it counts; None: whether they count depends on the rules.
        running: whether the line runs; None: it does not say.
    """

    n: int
    line: str
    kind: Kind
    topic: str
    payload: bytes
    numbered: bool = True
    at: int | None = None
    pieces: int | None = 0
    running: bool | None = None


def number_of(topic: str | None, payload: bytes) -> int | None:
    """The number that a message carries, None if it carries none."""
    found = _IN_PAYLOAD.search(payload, 0, _SEARCHED_BYTES)
    if found is not None:
        return int(found[1] or found[2])
    named = _IN_TOPIC.search(topic or "")
    return int(named[1]) if named is not None else None
