"""What was received and is not acknowledged yet, in the order of receipt."""

from collections import deque
from typing import Protocol


class Stored(Protocol):
    """Something that Kafka has, or not yet."""

    done: bool


class AckQueue:
    """Keeps deliveries in the order of receipt until everything before them, and they, are stored.

    MQTT wants acknowledgements in the order of receipt, and partitions are stored in any order.
    QoS 0 deliveries (packet id 0) have no acknowledgement, and are counted all the same.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, Stored]] = deque()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, mid: int, size: int, stored: Stored) -> None:
        """Note a delivery of `size` bytes."""
        self._waiting.append((mid, size, stored))
        self.bytes += size

    def settle(self) -> list[int]:
        """Forget what is stored; the packet ids to acknowledge, in order."""
        mids = []
        waiting = self._waiting
        while waiting and waiting[0][2].done:
            mid, size, _ = waiting.popleft()
            self.bytes -= size
            if mid:
                mids.append(mid)
        return mids
