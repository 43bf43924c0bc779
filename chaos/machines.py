"""The machines of a campaign: what each of them sends, drawn by seed. No clock, no I/O."""

from typing import Literal, NamedTuple

Kind = Literal["data", "status", "order", "poison"]

PROBES = 900_000_000
"""Numbers from here on are probes: `pressure` holds up to 1e9."""


class Message(NamedTuple):
    """One MQTT message and its number in the ledger.

    `told`: the number can be read again from its row, its dead letter or its raw record. Of messages that
    can't carry one, only how many there are on a topic is known.
    """

    n: int
    line: str
    kind: Kind
    topic: str
    payload: bytes
    told: bool = True


class Plant:
    """A plant of `lines` ordinary lines, and some that are not.

    The same seed draws the same messages; only their timestamps follow the clock of whoever asks.
    """

    def __init__(self, seed: int, lines: int, *, clock_scenarios: bool = True) -> None:
        raise NotImplementedError

    def next(self, now: int) -> Message:
        """The next message, made at `now` (ms since 1970)."""
        raise NotImplementedError


def probe(n: int, now: int) -> Message:
    """Data of the line `probe`; `n` counts from 0, its number in the ledger from PROBES."""
    raise NotImplementedError
