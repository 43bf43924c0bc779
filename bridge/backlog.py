"""Distinguishes messages that waited at the broker from those that machines send now."""

import time
from collections.abc import Callable

DRY_S = 1.0
"""The queue counts as empty once all probes in so long a time say so: not every broker answers in order."""


class Backlog:
    """Whether deliveries still come from the queue of the session: the record header `backlog`.

    After a reconnect to an existing session, everything is backlog until a probe (a PINGREQ) shows
    otherwise. A broker with messages in its queue sends the next one for each acknowledgement, and answers
    the PINGREQ after them. So if fewer messages arrive between a probe and its answer than were acknowledged
    just before the probe, the queue was empty. If nothing was acknowledged and nothing is unacknowledged,
    a single message shows that it was not. Once answers show an empty queue for DRY_S, the backlog is over.

    A bridge that is slower than its machines never catches up: all that it reads has waited.
    """

    def __init__(self, session_present: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.active = session_present
        self._clock = clock
        self._dry_since: float | None = None
        self._probing = False
        self._expected = 0
        self._arrived = 0

    def arrived(self) -> None:
        """Count a message."""
        self._arrived += 1

    def wants_probe(self, acked: int, unacked: int) -> bool:
        """Whether to send a probe now, directly after `acked` acknowledgements; True counts as sent."""
        if not self.active or self._probing or (not acked and unacked):
            return False
        self._probing, self._expected, self._arrived = True, max(acked, 1), 0
        return True

    def answered(self) -> None:
        """Evaluate the answer to the probe."""
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
