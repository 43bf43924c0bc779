"""Waiting until nothing is on its way any more: the moment to judge.

First `delivered`: every acknowledged message is in the raw log. Then stop the bridge (its ticks change rows
for ever). Then `settled`: PostgreSQL has everything that the log implies.
"""

from chaos.ledger import Ledger
from chaos.tape import Tape
from runtime.settings import Settings


class NotSettled(Exception):  # noqa: N818
    """Something is still on its way when the time is over; the text says what."""


async def delivered(ledger: Ledger, tape: Tape, seconds: float) -> None:
    """Wait until the tape holds every number that the broker acknowledged.

    Raises:
        NotSettled: some are missing; the text has their number and a few of them.
    """
    raise NotImplementedError


async def settled(settings: Settings, tape: Tape, seconds: float) -> None:
    """Wait until streams and sinks have applied all that the log holds. The bridge must not run.

    Writes two records of its own into each partition, one after the other's effect is seen: they become dead
    letters (`foreign`), on the tape as in PostgreSQL.

    Raises:
        NotSettled: the text says how far which partition is.
    """
    raise NotImplementedError
