"""When the bridge sends to Kafka what has gathered, so that the messages of many lines share a request."""

import asyncio
from collections.abc import Callable

PARTS = 4  # of the broker's window: while one is being stored, others can arrive
STALLED = 8  # messages in flight from which it is worth to ask why no more come


class Gathering:
    """Calls `send` at most every so many seconds, or when a part of the broker's window has gathered.

    After a pause, `send` is called for the first message. The *window* is how many messages the broker sends
    before it waits for acknowledgements: the receive maximum, but many brokers have less, and do not say so.
    If arrivals stop while we gather, and some are in flight, we suppose that the window is full: otherwise we
    would make the broker wait each time. If more are in flight later, that was wrong.
    """

    def __init__(
        self,
        every_s: float,
        receive_maximum: int,
        in_flight: Callable[[], int],
        send: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._every_s = every_s
        self._most = self._window = receive_maximum
        self._in_flight = in_flight
        self._send = send
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at = self._latest = -every_s
        self._gathered = 0

    @property
    def window(self) -> int:
        """How many messages the broker is supposed to send before it waits."""
        return self._window

    def arrived(self) -> None:
        """A message was appended to the log's next batches."""
        self._gathered += 1
        self._latest = now = self._loop.time()
        if self._in_flight() > self._window:
            self._window = self._most
        if self._gathered >= max(1, self._window // PARTS) or now - self._sent_at >= self._every_s:
            self._go(now)
        elif self._timer is None:
            self._timer = self._loop.call_at(self._sent_at + self._every_s, self._due)

    def stop(self) -> None:
        """Gather no longer: the run ends."""
        self._every_s = 0.0
        self._go(self._loop.time())

    def _due(self) -> None:
        now = self._loop.time()
        if now - self._latest > self._every_s / 2 and self._in_flight() >= STALLED:
            self._window = self._in_flight()
        self._go(now)

    def _go(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._sent_at, self._gathered = now, 0
        self._send()
