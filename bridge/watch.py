"""Reads what the MQTT broker publishes about itself, over a connection of its own.

The bridge's session has three filters, and its connection is not read while Kafka is away: so this is another
client, with a random client id, no session and QoS 0. If a broker does not publish `$SYS`, or denies us
access to it, there are no readings; that is no error.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bridge.buffer import SYS, TOPICS, Reading, reading
from bridge.connection import sign_in
from runtime.settings import Settings

SETTLE_S = 0.2  # after which all that the broker publishes together has arrived
PATIENCE_S = 3.0
KEEPALIVE_S = 30
LONGEST_WAIT_S = 10


class Watch:
    """Calls `on_reading(reading, fresh)` each time the broker publishes; with None when it is disconnected.

    `fresh` is False for a retained reading, which is not of this moment.
    """

    def __init__(self, settings: Settings, on_reading: Callable[[Reading | None, bool], None]) -> None:
        self._settings = settings
        self._on_reading = on_reading
        self._loop = asyncio.get_running_loop()
        self._values: dict[str, bytes] = {}
        self._settling: asyncio.TimerHandle | None = None
        version = mqtt.MQTTv5 if settings.mqtt_version == "5" else mqtt.MQTTv311
        name = f"{settings.mqtt_client_id[:48]}-watch-{uuid4().hex[:8]}"
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=version)
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        sign_in(client, settings)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect

    def start(self) -> None:
        """Connect in the background, and retry until it succeeds."""
        url = self._settings.mqtt
        port = url.port or (8883 if url.scheme == "mqtts" else 1883)
        self._client.connect_async(url.hostname or "", port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect. The thread is not joined, because it may hang in a handshake; it ends by itself."""
        self._client.on_connect = self._client.on_message = self._client.on_disconnect = None
        self._client.disconnect()
        if self._settling:
            self._settling.cancel()

    # From here on: called in paho's thread.

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(SYS + topic, 0) for topic in TOPICS])

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._in_loop(self._heard, message.topic.removeprefix(SYS), bytes(message.payload), message.retain)

    def _on_disconnect(self, *_: Any) -> None:
        self._in_loop(self._gone)

    def _in_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before us
            self._loop.call_soon_threadsafe(call, *arguments)

    # From here on: called in the event loop.

    def _heard(self, topic: str, payload: bytes, retained: bool) -> None:
        self._values[topic] = payload
        if self._settling is None:
            self._settling = self._loop.call_later(SETTLE_S, self._settled, time.monotonic(), not retained)

    def _settled(self, at: float, fresh: bool) -> None:
        self._settling = None
        self._on_reading(reading(self._values, at), fresh)

    def _gone(self) -> None:
        self._values.clear()
        if self._settling:
            self._settling.cancel()
            self._settling = None
        self._on_reading(None, False)


async def look(settings: Settings) -> Reading | None:
    """The broker's present reading; None if it publishes none in PATIENCE_S."""
    answer: asyncio.Future[Reading | None] = asyncio.get_running_loop().create_future()

    def on_reading(heard: Reading | None, _fresh: bool) -> None:
        if not answer.done():
            answer.set_result(heard)

    watch = Watch(settings, on_reading)
    watch.start()
    try:
        return await asyncio.wait_for(answer, PATIENCE_S)
    except TimeoutError:
        return None
    finally:
        watch.stop()
