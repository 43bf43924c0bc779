"""One run of the bridge: one connection to MQTT and one producer, until either fails or the role stops."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import TopicPartition

from bridge.clock import LogClock
from bridge.connection import Connection
from bridge.declared_time import declared_time
from bridge.deduplicator import Deduplicator, reach_of
from bridge.flow import Flow
from bridge.kafka import read_back, read_gap, read_tail, write_fence
from bridge.lanes import Lanes
from bridge.log_continuity import LogContinuity
from bridge.log_owner import require_own_log
from runtime import metrics
from runtime.kafka import require_topics
from runtime.narrator import Narrator
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings, SettingsError, without_password
from schemas.errors import Unavailable
from schemas.raw import TICK_SECONDS
from schemas.topics import MQTT_FILTERS

BATCH_BYTES = 128 * 1024
PATIENCE_S = 30.0  # with a Kafka that answers but stores nothing; then another producer is tried
DRAIN_S = 5.0  # with DISCONNECT_S and FLUSH_S it stays well within the 10 s that a role has to end


class Run:
    """Connects to MQTT first, so that the broker disconnects an older bridge before this one writes.

    Then it writes its fence, which voids whatever the older bridge still writes, and reads back what the log
    holds. Only then does it read messages. Whatever ends a run, messages that are not known to be in Kafka
    stay unacknowledged, and the broker sends them again.
    """

    def __init__(
        self,
        settings: Settings,
        narrator: Narrator,
        clock: LogClock,
        known: LogContinuity,
        on_ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._narrator = narrator
        self._clock = clock
        self._known = known
        self._on_ready = on_ready
        self._flow: Flow | None = None
        self.subscribed = False
        self.cut_off = False  # MQTT ended the connection after it had served

    def wrong(self) -> str | None:
        """None while MQTT is subscribed and Kafka stores records, else what is wrong."""
        if not self.subscribed or self._flow is None:
            return "not connected"
        return "Kafka stores nothing" if self._flow.kafka_silent else None

    @property
    def received(self) -> int:
        """Messages received in this run."""
        return self._flow.received if self._flow else 0

    async def go(self, stop: asyncio.Event) -> None:
        """Bridge until `stop` is set.

        Raises:
            Unavailable: the broker or Kafka went away, or could not be reached.
            OtherClientError: a bridge with another client id writes this log.
        """
        connection = Connection(
            self._settings,
            on_delivery=lambda delivery: self._flow.deliver(delivery) if self._flow else None,
            on_burst=lambda: self._flow.burst_over() if self._flow else None,
            on_pong=lambda: self._flow.answered() if self._flow else None,
        )
        self._narrator.say("bridge.connecting", url=without_password(self._settings.mqtt_broker_url))
        try:
            session_present = await connection.open()
            self._narrator.say("bridge.connected")
            metrics.MQTT_CONNECTS.inc()
            await self._with_mqtt(connection, session_present, stop)
        finally:
            connection.drop()

    async def _with_mqtt(self, connection: Connection, session_present: bool, stop: asyncio.Event) -> None:
        true_time, wrong = declared_time(self._settings)
        if wrong is not None:
            self._narrator.say("bridge.plant_unread", why=wrong)
        tail = await read_tail(self._settings, true_time=true_time)
        require_own_log(self._settings, tail.client, tail.run)
        self._clock.not_before(tail.received_at)
        producer = await open_producer(self._settings, BATCH_BYTES)
        number = self._known.begin(tail.run)
        try:
            fence = await write_fence(producer, self._settings, number, self._clock.now())
            if (await read_tail(self._settings, fence)).run >= number:
                # It read the same tail as we did. A bridge that finds the other's fence before its own in
                # some partition begins again; the one whose fence is first in all partitions goes on.
                raise Unavailable(f"another bridge began run {number}, too")
            held = await read_back(self._settings, fence) if session_present else []
        except (Unavailable, SettingsError):
            await close_producer(producer)
            raise
        self._check_log(fence)
        raw = self._settings.topics.raw
        gap_reader = partial(read_gap, self._settings)
        lanes = Lanes(producer, raw, self._settings.partitions, self._known, gap_reader, self._stored)
        self._flow = flow = Flow(
            self._settings,
            self._narrator,
            self._clock,
            connection,
            lanes,
            number,
            Deduplicator(held, reach_of(self._settings)),
            session_present,
        )
        background = [
            asyncio.create_task(self._tick(flow)),
            asyncio.create_task(self._check_topics(flow, lanes)),
        ]
        try:
            await connection.subscribe()
            for topic in MQTT_FILTERS:
                self._narrator.say("bridge.subscribed", topic=topic)
            flow.probe()
            self.subscribed = True
            metrics.MQTT_CONNECTED.set(1)
            self._on_ready()
            await self._until_the_end(connection, lanes, background, stop)
        finally:
            self.subscribed = False
            metrics.MQTT_CONNECTED.set(0)
            for task in background:
                task.cancel()
            await self._wind_up(connection, lanes, flow)
            metrics.MQTT_IN_FLIGHT.set(0)  # the broker sends again what is not acknowledged
            await close_producer(producer)

    async def _until_the_end(
        self,
        connection: Connection,
        lanes: Lanes,
        background: Sequence["asyncio.Task[None]"],
        stop: asyncio.Event,
    ) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            ends: set[asyncio.Future[Any]] = {connection.lost, lanes.failed, stopping, *background}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in background:
            if task.done():
                task.result()  # it ends only by an error; without ticks, time would stand still
        if lanes.failed.done():
            raise Unavailable(f"Kafka {self._settings.kafka_bootstrap_servers}: {lanes.failed.result()}")
        if connection.lost.done() and not stop.is_set():
            self.cut_off = True
            raise Unavailable(
                f"MQTT {without_password(self._settings.mqtt_broker_url)}: {connection.lost.result()}"
            )

    async def _wind_up(self, connection: Connection, lanes: Lanes, flow: Flow) -> None:
        """Store what was received, acknowledge it, then close both sides.

        It is stored even if MQTT is gone, because the records of the next run must come after these.
        """
        flow.stop()
        self._narrator.sum_up()
        if not lanes.failed.done():
            self._narrator.say("bridge.stopping", count=flow.waiting)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await flow.drained()
        await connection.leave()
        await lanes.close()

    async def _tick(self, flow: Flow) -> None:
        while True:
            flow.tick()
            self._narrator.sum_up()
            await asyncio.sleep(TICK_SECONDS)

    async def _check_topics(self, flow: Flow, lanes: Lanes) -> None:
        """While Kafka stores nothing, check that it still has the log: the producer would retry for ever."""
        answered = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if not flow.kafka_silent:
                answered = 0
                continue
            try:
                await require_topics(self._settings, [self._settings.topics.raw])
                answered += 1
            except SettingsError as error:
                lanes.fail(str(error))
            except Unavailable:
                answered = 0  # Kafka is away, and may come back with the log
            if answered * TICK_SECONDS >= PATIENCE_S:
                lanes.fail("it answers, and stores nothing")

    def _check_log(self, fence: Mapping[TopicPartition, int]) -> None:
        """Report it if the fence shows that the log was made anew."""
        for where, offset in fence.items():
            self._known.follows(where.partition, offset, 1)
        if self._known.anew:
            self._known.anew = False
            metrics.LOG_ANEW.inc()
            self._narrator.say("bridge.log_anew", topic=self._settings.topics.raw, run=self._known.run)

    def _stored(self) -> None:
        if self._flow:
            self._flow.stored()
