"""Recognises messages that the broker sends again and that the log already holds.

After a reconnect to its session the broker first sends again what was not acknowledged, in order and with
the same packet ids. Of these, what the log holds is acknowledged and not written. Flags such as DUP are
ignored: some brokers set none.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bridge.record import Delivery, digest_of
from runtime.settings import Settings

WINDOW_311 = 1000  # MQTT 3.1.1 has no receive maximum: this is what deploy/mosquitto.conf allows in flight


def reach_of(settings: Settings) -> int:
    """How many of the first deliveries may be repeats, and of how many of the log's last deliveries.

    Four windows: Mosquitto was seen with 601 messages in flight at a receive maximum of 500; and behind a
    message that is not acknowledged the log may hold a window that came after it, and a window that came
    before it, whose partition failed and which a later run wrote. Never so many that the broker reuses its
    packet ids within them: a new message could then be taken for an old one with the same payload.
    """
    window = settings.mqtt_receive_maximum if settings.mqtt_version == "5" else WINDOW_311
    return min(4 * window, settings.mqtt_packet_ids // 3)


class Held(NamedTuple):
    """A delivery that the log holds. They sort in the order of receipt."""

    run: int
    seq: int
    mid: int
    topic: str
    digest: str  # of the whole payload


class Deduplicator:
    """Finds which of the first deliveries of a session the log already holds.

    Repeats are among the first `reach` deliveries, and among the last `reach` that the log holds. Their order
    in the log does not matter: a message whose partition failed was written by a later run.
    """

    def __init__(self, held: Iterable[Held], reach: int) -> None:
        self._held = Counter(entry[2:] for entry in sorted(held)[-reach:] if reach)
        self._left = reach

    def holds(self, delivery: Delivery) -> bool:
        """Whether the log holds a delivery at QoS 1. Call it once for each, in the order of receipt."""
        if self._left == 0:
            return False
        self._left -= 1
        key = (delivery.mid, delivery.topic, digest_of(delivery.payload))
        if not self._held[key]:
            return False
        self._held[key] -= 1
        return True

    def over(self) -> None:
        """Stop matching: the broker's queue is empty, so no repeat is still to come.

        A broker that was killed and restored an old state uses packet ids again that the log holds: from here
        on, a new message is not taken for an old one with the same payload.
        """
        self._left = 0
