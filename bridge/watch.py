"""Reading what the MQTT broker says of itself, by a connection that has nothing to do with the bridge's own.

The bridge's session has three filters, and its connection is not read while Kafka is away: so the watch is a
client of its own, with a name by chance, no session and QoS 0. A broker that does not publish `$SYS`, or does
not show it to us, tells nothing: that is no trouble.
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

SETTLE_S = 0.2  # what the broker publishes together has come
PATIENCE_S = 3.0
KEEPALIVE_S = 30
LONGEST_WAIT_S = 10


class Watch:
    """Calls `on_reading` with what the broker says, each time that it says something; None: it went away.

    `fresh` tells a reading of this moment from the one that was kept for whoever comes.
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
        """Connect, in the background, for as long as it takes."""
        url = self._settings.mqtt
        port = url.port or (8883 if url.scheme == "mqtts" else 1883)
        self._client.connect_async(url.hostname or "", port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye. Nobody waits for the thread, which may hang in a handshake: it ends by itself."""
        self._client.on_connect = self._client.on_message = self._client.on_disconnect = None
        self._client.disconnect()
        if self._settling:
            self._settling.cancel()

    # From here on: paho's thread.

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(SYS + topic, 0) for topic in TOPICS])

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._in_loop(self._heard, message.topic.removeprefix(SYS), bytes(message.payload), message.retain)

    def _on_disconnect(self, *_: Any) -> None:
        self._in_loop(self._gone)

    def _in_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before us
            self._loop.call_soon_threadsafe(call, *arguments)

    # From here on: the loop's.

    def _heard(self, topic: str, payload: bytes, kept: bool) -> None:
        self._values[topic] = payload
        if self._settling is None:
            self._settling = self._loop.call_later(SETTLE_S, self._settled, time.monotonic(), not kept)

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
    """What the broker says of itself at present; None if it says nothing."""
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
