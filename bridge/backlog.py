"""Telling what had been waiting at the broker from what machines send now."""

import time
from collections.abc import Callable

DRY_S = 1.0
"""Not every broker keeps the order of answers: the queue counts as dry when all probes of so long say so."""


class Backlog:
    """Whether deliveries still come out of the session's queue: the record header `backlog`.

    After a reconnect with session present, everything is backlog until a probe (a PINGREQ) says
    otherwise. A broker that has messages waiting answers each acknowledgement with the next message, and
    answers the PINGREQ after them. So, of the time between a probe and its answer: if fewer messages
    arrived than were acknowledged just before the probe, the queue had run dry. Where nothing was
    unacknowledged and nothing was there to acknowledge, one message is already too many. DRY_S of such
    answers, and the backlog is over.

    A bridge that is slower than its machines never catches up, and all that it reads did wait.
    """

    def __init__(self, session_present: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.active = session_present
        self._clock = clock
        self._dry_since: float | None = None
        self._probing = False
        self._expected = 0
        self._arrived = 0

    def arrived(self) -> None:
        """A message came."""
        self._arrived += 1

    def wants_probe(self, acked: int, unacked: int) -> bool:
        """Whether to send a probe now, right behind `acked` acknowledgements; True begins it."""
        if not self.active or self._probing or (not acked and unacked):
            return False
        self._probing, self._expected, self._arrived = True, max(acked, 1), 0
        return True

    def answered(self) -> None:
        """The probe's answer came."""
        if not self._probing:
            return
        self._probing = False
        now = self._clock()
        if self._arrived >= self._expected:
            self._dry_since = None
        elif self._dry_since is None:
            self._dry_since = now
        elif now - self._dry_since >= DRY_S:
            self.active = False
