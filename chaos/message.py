"""One MQTT message, and the number by which it is found again."""

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
        told: the number can be read again from its row, its dead letter or its raw record. Of messages that
            can't carry one, only how many there are on a topic is known.
        at: its timestamp (ms since 1970); None: it has none, or one that is not to be believed.
        pieces: how many it counts; None: whether they count is for the rules to say.
        running: what it says of the line; None: nothing.
    """

    n: int
    line: str
    kind: Kind
    topic: str
    payload: bytes
    told: bool = True
    at: int | None = None
    pieces: int | None = 0
    running: bool | None = None


def number_of(topic: str | None, payload: bytes) -> int | None:
    """The number that a message carries, None where it carries none."""
    found = _IN_PAYLOAD.search(payload, 0, _SEARCHED_BYTES)
    if found is not None:
        return int(found[1] or found[2])
    named = _IN_TOPIC.search(topic or "")
    return int(named[1]) if named is not None else None
