"""Messages that were received and are not acknowledged yet, in the order of receipt."""

from collections import deque
from typing import Protocol


class Stored(Protocol):
    """Something that Kafka will store: `done` once it has."""

    done: bool


class AckQueue:
    """Keeps each delivery until it and all deliveries before it are stored.

    MQTT requires acknowledgements in the order of receipt, but partitions are stored in any order.
    QoS 0 deliveries (packet id 0) have no acknowledgement, but count towards the length and the bytes.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, Stored]] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, mid: int, size: int, stored: Stored) -> None:
        """Add a delivery of `size` bytes."""
        self._waiting.append((mid, size, stored))
        self.bytes += size

    def settle(self) -> list[int]:
        """Remove what is stored from the head; return the packet ids to acknowledge, in order."""
        mids = []
        waiting = self._waiting
        while waiting and waiting[0][2].done:
            mid, size, _ = waiting.popleft()
            self.bytes -= size
            if mid:
                mids.append(mid)
        return mids
