"""Publishes at QoS 1 and counts what the broker acknowledged.

One thread calls paho's loop functions: paho's own thread would cost a wake-up per message. What is in flight
when the connection breaks stays in paho and is sent again, as the same message, after the reconnect.
"""

import select
import time
from collections.abc import Callable
from threading import Event
from typing import Any
from urllib.parse import SplitResult, unquote
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from runtime.narrator import Narrator
from schemas.errors import Unavailable

MAX_IN_FLIGHT = 500
FLUSH_EVERY = 50  # messages written to the socket at once
KEEPALIVE_S = 30
CONNECT_S = 5.0
CLOSE_S = 5.0  # how long `close` waits for acknowledgements after an interruption


class Publisher:
    """A session at the broker; `acked` is called once for each message, with what `publish` was given."""

    def __init__(
        self, url: SplitResult, acked: Callable[[Any], None], stop: Event, narrator: Narrator
    ) -> None:
        self._host = url.hostname or "localhost"
        self._port = url.port or (8883 if url.scheme == "mqtts" else 1883)
        self._acked = acked
        self._stop = stop
        self._narrator = narrator
        self._receipts: dict[int, Any] = {}
        self._unflushed = 0
        self._connected = False
        self._refusal: str | None = None
        # A clean session: the broker keeps nothing for a publisher, and paho keeps what is in flight.
        client_id = f"linepulse-simulator-{uuid4().hex[:12]}"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self._client.connect_timeout = CONNECT_S
        self._client.max_inflight_messages_set(0)  # `publish` bounds it, without paho's search at each PUBACK
        if url.username is not None:
            self._client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            self._client.tls_set()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_socket_register_write = lambda *_: None  # writes wait for `pump`

    @property
    def in_flight(self) -> int:
        """Messages published and not yet acknowledged."""
        return len(self._receipts)

    def connect(self) -> None:
        """Open the session.

        Raises:
            Unavailable: no broker answers there, or it refuses us.
        """
        where = f"{self._host}:{self._port}"
        try:
            self._client.connect(self._host, self._port, KEEPALIVE_S)
        except OSError as error:
            raise Unavailable(f"MQTT_BROKER_URL: no MQTT broker answers on {where}: {error}") from None
        until = time.monotonic() + CONNECT_S
        while not self._connected and self._refusal is None and time.monotonic() < until:
            self._exchange(0.1)
        if not self._connected:
            raise Unavailable(f"MQTT_BROKER_URL: {where} refused us: {self._refusal or 'no answer'}")

    def publish(self, topic: str, payload: bytes, receipt: Any) -> None:
        """Send a message; waits while too many are in flight or the broker is away, until `stop` is set."""
        while (self.in_flight >= MAX_IN_FLIGHT or not self._connected) and not self._stop.is_set():
            self.pump(0.2)
        self._receipts[self._client.publish(topic, payload, qos=1).mid] = receipt
        self._unflushed += 1
        if self._unflushed >= FLUSH_EVERY:
            self.pump(0.0)

    def pump(self, seconds: float) -> None:
        """Write and read what there is, waiting for it at most `seconds`; reconnects where needed."""
        if not self._connected and self._client.socket() is None:
            self._reconnect(seconds)
        else:
            self._exchange(seconds)

    def settle(self) -> None:
        """Wait until all that was published is acknowledged, or `stop` is set."""
        while self.in_flight and not self._stop.is_set():
            self.pump(0.2)

    def close(self) -> None:
        """Wait for all acknowledgements (after `stop`: for CLOSE_S), then disconnect."""
        until = time.monotonic() + CLOSE_S
        while self.in_flight and not (self._stop.is_set() and time.monotonic() >= until):
            self.pump(0.2)
        if self._connected:
            self._client.disconnect()
            self._client.loop_write()

    def _exchange(self, seconds: float) -> None:
        self._unflushed = 0
        client = self._client
        if client.want_write():
            client.loop_write()
        wire = client.socket()
        if wire is None:  # the connection broke
            return
        writers = [wire] if client.want_write() else []
        readable, writable, _ = select.select([wire], writers, [], seconds)
        if writable:
            client.loop_write()
        if readable:
            client.loop_read()
        client.loop_misc()

    def _reconnect(self, seconds: float) -> None:
        try:
            self._client.reconnect()
        except OSError:
            self._stop.wait(max(seconds, 0.2))

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
        else:
            self._connected = True

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._connected and reason.is_failure:
            self._narrator.say("simulator.lost", where=f"{self._host}:{self._port}")
        self._connected = False

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._acked(self._receipts.pop(mid))
