"""What the broker sends again: recognised by the log, which knows best what it holds.

After a reconnect to its session the broker sends again what was not acknowledged, first and in order, with
the packet ids that it had. What of it the log holds is acknowledged and not written. Marks such as DUP are
not asked: some brokers set none.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bridge.record import Delivery, digest_of
from runtime.settings import Settings

WINDOW_311 = 1000  # MQTT 3.1.1 knows no receive maximum: what deploy/mosquitto.conf allows in flight


def reach_of(settings: Settings) -> int:
    """How many deliveries may have been sent before, and how many of the log's last may be among them.

    Four windows: Mosquitto was seen with 601 messages in flight at a receive maximum of 500; and behind a
    message that is not acknowledged the log may hold a window that came after it, and a window that came
    before it, whose partition failed and which a later run wrote. Never so many that the broker's packet ids
    come round, or a new message could pass for an old one of the same payload.
    """
    window = settings.mqtt_receive_maximum if settings.mqtt_version == "5" else WINDOW_311
    return min(4 * window, settings.mqtt_packet_ids // 3)


class Held(NamedTuple):
    """A delivery that the log holds; sorts in the order of receipt."""

    run: int
    seq: int
    mid: int
    topic: str
    digest: str  # of the whole payload


class Deduplicator:
    """Tells which of the first deliveries of a session the log holds already.

    What was sent before is among the first `reach` deliveries, and among the last `reach` that the log holds.
    Their order in the log says nothing: what failed with one partition was written by a later run.
    """

    def __init__(self, held: Iterable[Held], reach: int) -> None:
        self._held = Counter(entry[2:] for entry in sorted(held)[-reach:] if reach)
        self._left = reach

    def holds(self, delivery: Delivery) -> bool:
        """Whether the log holds a delivery at QoS 1; to be asked once for each, in the order of receipt."""
        if self._left == 0:
            return False
        self._left -= 1
        key = (delivery.mid, delivery.topic, digest_of(delivery.payload))
        if not self._held[key]:
            return False
        self._held[key] -= 1
        return True

    def over(self) -> None:
        """The broker's queue has run dry, so nothing that was sent before is still to come.

        A broker that was killed and brought an old state back uses packet ids again that the log knows: from
        here on, a new message with the payload of an old one is not taken for it.
        """
        self._left = 0
