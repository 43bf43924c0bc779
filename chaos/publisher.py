"""The publisher: a process of its own that writes the ledger.

`python -m chaos.publisher --url mqtt://... --ledger FILE --seed S --messages N --lines L --rate R
[--clock-scenarios]` publishes N messages at QoS 1 and ends when all of them are acknowledged, however
often the broker goes away meanwhile. Rate 0: as fast as acknowledgements allow. SIGTERM: publishes no more,
waits for outstanding acknowledgements. At its end it prints JSON: `sent`, `acked`, `again`, `seconds`.
"""

import argparse
import json
import select
import signal
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from chaos.ledger import LedgerFile
from chaos.machines import Machines
from chaos.message import Message

IN_FLIGHT = 200
BURST = 50  # messages between two looks at the socket
KEEPALIVE_S = 60  # long, so that no connection ends while the broker is only frozen
CONNECT_S = 5.0
AGAIN_S = 0.3
FLUSH_S = 0.2


class Publisher:
    """One session, whose client's loop runs in `pump`; messages that are not acknowledged are sent again."""

    def __init__(self, url: str, ledger: LedgerFile) -> None:
        self._url = urlsplit(url)
        self._ledger = ledger
        self._waiting: dict[int, int] = {}  # packet id -> number
        self._connected = self._begun = False
        self._flushed = 0.0
        self.sent = self.acked = self.again = 0
        self.stop = threading.Event()
        # The broker keeps nothing for this client; the client keeps what is in flight.
        client_id = f"campaign-{uuid4().hex[:12]}"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self._client.connect_timeout = CONNECT_S
        self._client.max_inflight_messages_set(0)  # bounded here
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_socket_register_write = lambda *_: None  # written by `_exchange`

    @property
    def in_flight(self) -> int:
        """Messages sent and not acknowledged."""
        return len(self._waiting)

    def publish(self, message: Message) -> None:
        """Send a message; waits while too many are in flight or the broker is away, until `stop`."""
        while self.in_flight >= IN_FLIGHT or not self._connected:
            if self.stop.is_set():
                return
            self.pump(0.1)
        self._ledger.sent(message)
        self.sent += 1
        self._waiting[self._client.publish(message.topic, message.payload, qos=1).mid] = message.n
        if self.sent % BURST == 0:
            self.pump(0.0)

    def pump(self, seconds: float) -> None:
        """Write and read what there is, waiting for it at most `seconds`; connects where needed."""
        wire = self._client.socket()
        if wire is None:
            self._connect()
            return
        while self._client.want_write():
            writers = select.select([], [wire], [], seconds)[1]
            if not writers or self._client.loop_write() != mqtt.MQTT_ERR_SUCCESS:
                break
        if self._client.socket() is wire and select.select([wire], [], [], seconds)[0]:
            self._client.loop_read()
        self._client.loop_misc()
        if (now := time.monotonic()) - self._flushed > FLUSH_S:
            self._flushed = now
            self._ledger.flush()

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged."""
        while self.in_flight:
            self.pump(0.1)
        self._client.disconnect()
        self._client.loop_write()

    def _connect(self) -> None:
        try:
            if self._begun:
                self._client.reconnect()
            else:
                self._client.connect(self._url.hostname or "localhost", self._url.port or 1883, KEEPALIVE_S)
                self._begun = True
        except OSError:
            time.sleep(AGAIN_S)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            return
        self._connected = True
        for n in self._waiting.values():  # the client is about to send them again
            self._ledger.again(n)
        self.again += self.in_flight

    def _on_disconnect(self, *_: Any) -> None:
        self._connected = False

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._ledger.acked(self._waiting.pop(mid))
        self.acked += 1


def publish(publisher: Publisher, machines: Machines, messages: int, rate: float) -> None:
    """Publish so many messages, `rate` a second, evenly; 0: as fast as possible."""
    began = time.monotonic()
    for index in range(messages):
        due = began + (index / rate if rate else 0.0)
        while (early := due - time.monotonic()) > 0 and not publisher.stop.is_set():
            publisher.pump(min(early, 0.1))
        if publisher.stop.is_set():
            break
        publisher.publish(machines.next(int(time.time() * 1000)))
    publisher.settle()


def main() -> None:
    """Publish, and print how much it was."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--ledger", type=Path, required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--messages", type=int, required=True)
    arguments.add_argument("--lines", type=int, default=10)
    arguments.add_argument("--rate", type=float, default=0.0)
    arguments.add_argument("--clock-scenarios", action="store_true")
    asked = arguments.parse_args()
    ledger = LedgerFile(asked.ledger)
    publisher = Publisher(asked.url, ledger)
    signal.signal(signal.SIGTERM, lambda *_: publisher.stop.set())
    began = time.monotonic()
    machines = Machines(asked.seed, asked.lines, clock_scenarios=asked.clock_scenarios)
    publish(publisher, machines, asked.messages, asked.rate)
    ledger.close()
    totals = {"sent": publisher.sent, "acked": publisher.acked, "again": publisher.again}
    print(json.dumps({**totals, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
