"""One connection to the MQTT broker on the asyncio loop, from CONNECT to its end."""

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.record import Delivery
from bridge.wire import BufferedSocket, Client
from runtime.settings import Settings, without_password
from schemas.errors import Unavailable
from schemas.topics import MQTT_FILTERS

KEEPALIVE_S = 20  # after twice that, a connection over which nothing arrives is given up
ANSWER_S = 10.0  # for CONNACK and SUBACK
DISCONNECT_S = 1.5  # for the broker to close after DISCONNECT
BURST = 200  # packets handled before other tasks on the loop get their turn
NEVER = 0xFFFFFFFF  # MQTT 5: the session does not expire
ONLY_NEW = 1  # MQTT 5: retained messages are sent only for a subscription that is new to the session
Answer = TypeVar("Answer")
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"


class Connection:
    """Hands over deliveries as they arrive, until the connection is lost.

    `on_delivery` is called for each message, `on_burst` after several of them, `on_pong` when the broker has
    answered `ping`. `lost` resolves to the reason when the connection ends. Each object connects once.
    """

    def __init__(
        self,
        settings: Settings,
        on_delivery: Callable[[Delivery], None],
        on_burst: Callable[[], None],
        on_pong: Callable[[], None],
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self._settings = settings
        self._on_delivery = on_delivery
        self._on_burst = on_burst
        self._keepalive_s = keepalive_s
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._connected: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._paused = self._leaving = self._again = False
        self._socket: BufferedSocket | None = None
        self._housekeeping: asyncio.TimerHandle | None = None
        self._pinged = 0.0
        self._client = _client(settings)
        self._client.on_pingresp = on_pong
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    async def open(self) -> bool:
        """Connect, and stop reading after the broker's answer; return whether the broker kept our session.

        Raises:
            Unavailable: the broker can't be reached, or refuses.
        """
        url, where = self._settings.mqtt, without_password(self._settings.mqtt_broker_url)
        port = url.port or (8883 if url.scheme == "mqtts" else 1883)
        options: dict[str, Any] = {}
        if self._settings.mqtt_version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = NEVER
            properties.ReceiveMaximum = self._settings.mqtt_receive_maximum
            options = {"clean_start": False, "properties": properties}
        try:
            # In a thread, because name resolution, connecting and the TLS handshake block.
            await self._in_thread(
                partial(self._client.connect, url.hostname or "", port, self._keepalive_s, **options)
            )
        except OSError as error:
            raise Unavailable(f"MQTT {where}: {error}") from error
        self._socket = self._client.socket()  # type: ignore[assignment]
        assert isinstance(self._socket, BufferedSocket)
        self._client.on_socket_close = lambda *_: self._unwatch()
        self._client.on_socket_register_write = self._on_wants_write
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._loop.call_soon(self._write)
        self._keep_alive()
        return await self._answer(self._connected, f"MQTT {where}")

    def _in_thread(self, work: Callable[[], object]) -> "asyncio.Future[None]":
        """Do some work in a daemon thread; the future is done when it ends.

        Not in the loop's executor, for which a process waits at its end: a name server that does not answer
        can block for minutes.
        """
        done: asyncio.Future[None] = self._loop.create_future()

        def settle(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def run() -> None:
            failed = None
            try:
                work()
            except Exception as error:
                failed = error
            with contextlib.suppress(RuntimeError):  # the loop has ended before us
                self._loop.call_soon_threadsafe(settle, failed)

        threading.Thread(target=run, name="connect", daemon=True).start()
        return done

    async def subscribe(self) -> None:
        """Resume reading, and subscribe to the three filters at QoS 1.

        Raises:
            Unavailable: the broker refuses a filter, or QoS 1.
        """
        if self._settings.mqtt_version == "5":
            options = SubscribeOptions(qos=1, retainHandling=ONLY_NEW)
            self._client.subscribe([(topic, options) for topic in MQTT_FILTERS])
        else:
            self._client.subscribe([(topic, 1) for topic in MQTT_FILTERS])
        self.resume()
        granted = await self._answer(self._subscribed, "MQTT subscription")
        for topic, reason in zip(MQTT_FILTERS, granted, strict=True):
            if reason.is_failure or reason.value != 1:
                raise Unavailable(f"MQTT: the broker does not grant {topic} at QoS 1: {reason}")

    async def _answer(self, answer: "asyncio.Future[Answer]", of: str) -> Answer:
        either: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(either, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise Unavailable(f"{of}: {self.lost.result() if self.lost.done() else 'no answer'}")

    def pause(self) -> None:
        """Stop reading; what the broker sends waits in the network and at the broker."""
        if not self._paused and self._socket and not self.lost.done():
            self._loop.remove_reader(self._socket.fileno())
        self._paused = True

    def resume(self) -> None:
        """Resume reading."""
        if self._paused and self._socket and not self.lost.done():
            self._paused = False
            self._loop.add_reader(self._socket.fileno(), self._read)
            self._read_again()
            self._loop.call_soon(self._keep_alive)  # after reading: the answer to an old ping may be there

    @property
    def paused(self) -> bool:
        return self._paused

    def ack(self, mids: list[int]) -> None:
        """Acknowledge deliveries, in this order."""
        for mid in mids:
            self._client.ack(mid, 1)

    def ping(self) -> None:
        """Send a PINGREQ after everything sent so far."""
        if self._socket and not self.lost.done():
            self._pinged = time.monotonic()
            self._client.loop_write()
            self._socket.send(PINGREQ)
            self._flush()

    async def leave(self) -> None:
        """Send DISCONNECT after the acknowledgements, and close.

        Reads until the broker closes: a socket closed with unread bytes is reset by the kernel, and the
        broker could then miss acknowledgements that it had not read yet. None of it is acknowledged.
        """
        self._leaving = True
        if self._socket and not self.lost.done():
            self._client.loop_write()
            self._socket.send(DISCONNECT)
            self._flush()
            self.resume()
            await asyncio.wait({self.lost}, timeout=DISCONNECT_S)
        self.drop()

    def drop(self) -> None:
        """Close at once; the broker keeps what is not acknowledged."""
        self._leaving = True
        self._client.on_disconnect = self._client.on_socket_close = None
        self._client.on_socket_register_write = None
        if self._socket:
            if not self.lost.done():
                self._unwatch()
            self._socket.close()
        self._lose("closed")

    def _unwatch(self) -> None:
        assert self._socket is not None
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())

    def _lose(self, why: str) -> None:
        if not self.lost.done():
            self.lost.set_result(why)
        if self._housekeeping:
            self._housekeeping.cancel()

    def _read(self) -> None:
        assert self._socket is not None
        self._again = False
        for _ in range(BURST):
            if self._paused or self.lost.done():
                break
            try:
                self._client.loop_read()
            except Exception as error:
                # Going on would skip a delivery. After a reconnect the broker sends it again.
                logging.getLogger(__name__).exception("a packet could not be handled")
                self._unwatch()
                self._lose(repr(error))
            if self.lost.done() or not self._socket.has_more():
                break
        else:
            self._read_again()
        self._on_burst()

    def _read_again(self) -> None:
        if not self._again:
            self._again = True
            self._loop.call_soon(self._read)

    def _write(self) -> None:
        if not self.lost.done():
            self._client.loop_write()
            self._flush()

    def _flush(self) -> None:
        assert self._socket is not None
        if self.lost.done():
            return
        try:
            all_sent = self._socket.flush()
        except OSError as error:
            self._unwatch()
            self._lose(str(error))
            return
        if all_sent:
            self._loop.remove_writer(self._socket.fileno())
        else:
            self._loop.add_writer(self._socket.fileno(), self._flush)

    def _keep_alive(self) -> None:
        """Once a second: keep the connection alive, and detect that it is dead."""
        if self._housekeeping:
            self._housekeeping.cancel()
        if self.lost.done():
            return
        self._housekeeping = self._loop.call_later(1.0, self._keep_alive)
        if not self._paused:
            self._client.loop_misc()
        elif time.monotonic() - self._pinged > self._client.keepalive / 2:
            # The broker's answers are not read while paused, so paho would take the connection for dead.
            self.ping()

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._connected.done():
            return
        if reason.is_failure:
            self._lose(f"the broker refuses: {reason}")
        else:
            self.pause()
            self._connected.set_result(bool(flags.session_present))

    def _on_wants_write(self, *_: Any) -> None:
        self._loop.call_soon(self._write)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(reasons)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if self._leaving:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError as error:  # against the standard, but the log keeps it
            topic = error.object.decode(errors="replace")
        self._on_delivery(
            Delivery(topic, bytes(message.payload), message.qos, message.retain, message.dup, message.mid)
        )

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._lose(str(reason))


def _client(settings: Settings) -> Client:
    version = mqtt.MQTTv5 if settings.mqtt_version == "5" else mqtt.MQTTv311
    client = Client(
        CallbackAPIVersion.VERSION2,
        settings.mqtt_client_id,
        clean_session=None if version == mqtt.MQTTv5 else False,
        protocol=version,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    sign_in(client, settings)
    return client


def sign_in(client: mqtt.Client, settings: Settings) -> None:
    """Give a client the user, the password and the authority of the settings."""
    url = settings.mqtt
    if url.username is not None:
        client.username_pw_set(unquote(url.username), None if url.password is None else unquote(url.password))
    if url.scheme == "mqtts":
        client.tls_set_context(ssl.create_default_context(cafile=settings.mqtt_ca_file))
