"""What a run does with each delivery: append it to the log, and acknowledge it once it is stored."""

import asyncio

from prometheus_client import Counter

from bridge.ack_queue import AckQueue
from bridge.backlog import Backlog
from bridge.clock import LogClock
from bridge.connection import Connection
from bridge.deduplicator import Deduplicator
from bridge.gathering import Gathering
from bridge.lanes import Batch, Lanes
from bridge.record import Delivery, destinations, record_of
from runtime import metrics
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.raw import Kind, RawHeaders

IN_FLIGHT_BYTES = 32 * 1024 * 1024
SHOWN_CHARACTERS = 200
STORED_BEFORE = Batch(None)  # stands for the batch of an earlier run
STORED_BEFORE.done = True
PROBE_S = 0.01  # between probes of the backlog while nothing arrives

_RECEIVED: dict[Kind, Counter] = {
    kind: metrics.MQTT_RECEIVED.labels(kind.value) for kind in Kind if kind is not Kind.TICK
}


class Flow:
    """Connects one MQTT connection to the lanes of the log. Nothing here waits, except `drained`.

    Reading stops while more than 2 × the receive maximum or IN_FLIGHT_BYTES wait for Kafka, and resumes at
    half of that. In MQTT 5 the receive maximum bounds QoS 1 before that; QoS 0 and MQTT 3.1.1 have no other
    bound.
    """

    def __init__(
        self,
        settings: Settings,
        narrator: Narrator,
        clock: LogClock,
        connection: Connection,
        lanes: Lanes,
        run: int,
        deduplicator: Deduplicator,
        session_present: bool,
    ) -> None:
        self._settings = settings
        self._narrator = narrator
        self._clock = clock
        self._connection = connection
        self._lanes = lanes
        self._run = run
        self._deduplicator = deduplicator
        self._received = 0
        self._seq = 0
        self._destination = destinations(settings.partitions)
        self._acks = AckQueue()
        self._settled = asyncio.Event()
        self._backlog = Backlog(session_present)
        self._ticks: list[Batch] = []
        self._most = 2 * settings.mqtt_receive_maximum
        self._gathering = Gathering(
            settings.bridge_gather_ms / 1000,
            settings.mqtt_receive_maximum,
            lambda: len(self._acks),
            lanes.send,
            asyncio.get_running_loop(),
        )
        self._stopping = False
        self.kafka_silent = False

    def deliver(self, delivery: Delivery) -> None:
        """Append a delivery to the log; if the log holds it already, only acknowledge it again."""
        self._received += 1
        self._backlog.arrived()
        _count(delivery)
        if delivery.qos and self._deduplicator.holds(delivery):
            self._acks.add(delivery.mid, 0, STORED_BEFORE)
            metrics.MQTT_RECOGNISED.inc()
            return
        self._seq += 1
        record = record_of(
            delivery,
            self._destination(delivery.topic),
            self._settings.mqtt_client_id,
            self._run,
            self._seq,
            self._backlog.active,
            self._settings.max_payload_bytes,
        )
        batch = self._lanes.append(record, self._clock.now())
        self._acks.add(delivery.mid, len(record.value), batch)
        self._gathering.arrived()
        _RECEIVED[record.kind].inc()
        if self._narrator.wants():
            self._narrator.event("bridge.received", topic=delivery.topic, payload=shown(delivery.payload))
        else:
            self._narrator.skip()
        if self._full(1):
            self._connection.pause()

    def burst_over(self) -> None:
        """After a burst of deliveries: acknowledge those that the log held already, and update the metric."""
        self.stored()
        metrics.MQTT_IN_FLIGHT.set(len(self._acks))

    def stored(self) -> None:
        """Acknowledge what Kafka has stored, up to the first message that it has not."""
        before = len(self._acks)
        mids = self._acks.settle()
        if len(self._acks) == before:
            return
        self._connection.ack(mids)
        metrics.MQTT_ACKED.inc(len(mids))
        metrics.MQTT_IN_FLIGHT.set(len(self._acks))
        self._settled.set()
        self.probe(len(mids))
        if self._connection.paused and not self._stopping and not self._full(0.5):
            self._connection.resume()

    def probe(self, acked: int = 0) -> None:
        """Ask the broker whether its queue is empty, as long as that is not known."""
        if self._backlog.wants_probe(acked, len(self._acks)):
            self._connection.ping()

    def answered(self) -> None:
        """Evaluate the broker's answer to a probe."""
        if not self._backlog.active:
            return
        self._backlog.answered()
        if not self._backlog.active:
            self._deduplicator.over()
            self._narrator.say("bridge.caught_up", count=self._received)
        else:
            asyncio.get_running_loop().call_later(PROBE_S, self.probe)

    def tick(self) -> None:
        """Write a tick to each partition; while the last ticks are not stored, Kafka is silent."""
        at_ms = self._clock.now()
        metrics.LOG_AHEAD.set(self._clock.ahead_ms / 1000)
        silent = not all(batch.done for batch in self._ticks)
        if silent != self.kafka_silent:
            self.kafka_silent = silent
            self._narrator.say("bridge.kafka_silent" if silent else "bridge.kafka_back", count=self.waiting)
        if not silent:
            headers = RawHeaders(Kind.TICK, client=self._settings.mqtt_client_id, run=self._run).encode()
            self._ticks = self._lanes.append_to_each(headers, at_ms)
            self._lanes.send()

    def stop(self) -> None:
        """Read no more messages."""
        self._stopping = True
        self._connection.pause()
        self._gathering.stop()

    async def drained(self) -> None:
        """Wait until everything received is stored, and its acknowledgement is on its way."""
        while len(self._acks):
            self._settled.clear()
            await self._settled.wait()

    @property
    def waiting(self) -> int:
        """Messages received and not acknowledged."""
        return len(self._acks)

    @property
    def received(self) -> int:
        """Messages received in this run."""
        return self._received

    def _full(self, share: float) -> bool:
        return len(self._acks) > share * self._most or self._acks.bytes > share * IN_FLIGHT_BYTES


def _count(delivery: Delivery) -> None:
    if delivery.retain:
        metrics.MQTT_RETAINED.inc()
    if delivery.dup:
        metrics.MQTT_DUP.inc()
    if delivery.qos == 0:
        metrics.MQTT_QOS0.inc()


def shown(payload: bytes) -> str:
    """A payload on one line for people: its first SHOWN_CHARACTERS, spaces for what is not printable."""
    text = payload[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
    return "".join(character if character.isprintable() else " " for character in text)
