"""Probes: messages of the campaign itself, a line to every partition, that show when the pipeline works."""

import asyncio
import threading
import time
from pathlib import Path
from uuid import uuid4

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bridge.record import places
from chaos.ledger import LedgerFile
from chaos.message import PROBES, Message
from runtime.settings import Settings

POLL_S = 0.25
STEADY_S = 4.0
PAUSE_S = 1.5
FOUND = 'SELECT count(*) FROM "ProductionData" WHERE "lineId" = ANY(%s) AND "pressure" = ANY(%s)'


class Prober:
    """Publishes probes straight to the broker, and looks for their rows straight in PostgreSQL.

    They are in a ledger of their own, and judged as every other message is. Their lines are heard of at
    probes only: they have no signal most of the time.
    """

    def __init__(self, settings: Settings, ledger: Path) -> None:
        self._settings = settings
        self._ledger = LedgerFile(ledger)
        self._turn = threading.Lock()  # paho calls from a thread of its own
        self._waiting: dict[int, int] = {}  # packet id -> number
        self._early: set[int] = set()  # acknowledged before we knew the packet id
        self._next = PROBES
        self.lines = lines_of_partitions(settings.partitions)
        client_id = f"probe-{uuid4().hex[:12]}"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish

    def __enter__(self) -> "Prober":
        url = self._settings.mqtt
        self._client.connect(url.hostname or "localhost", url.port or 1883, keepalive=60)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._ledger.close()

    async def steady(self, seconds: float) -> float | None:
        """Probe until the pipeline works without a pause for STEADY_S: a worker that comes back late makes
        all others of its group stop once more. Seconds until it did, None if not in time.
        """
        began = time.monotonic()
        good_since = None
        while (now := time.monotonic()) - began < seconds:
            took = await self.works(seconds - (now - began))
            if took is None:
                return None
            if good_since is None or took > PAUSE_S:
                good_since = now + took
            if time.monotonic() - good_since >= STEADY_S:
                return good_since - began
            await asyncio.sleep(POLL_S)
        return None

    async def works(self, seconds: float) -> float | None:
        """Send a probe to each partition; seconds until all have their rows, None if not in time."""
        began = time.monotonic()
        numbers = [self._publish(line) for line in self.lines]
        while (now := time.monotonic()) - began < seconds:
            try:
                if await self._rows(numbers) == len(numbers):
                    return time.monotonic() - began
            except (psycopg.Error, TimeoutError):
                pass
            await asyncio.sleep(min(POLL_S, began + seconds - now))
        return None

    async def acknowledged(self) -> bool:
        """Whether the broker has all of them."""
        with self._turn:
            return not self._waiting

    async def _rows(self, numbers: list[int]) -> int:
        async with asyncio.timeout(5):
            url = self._settings.database_url
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
                found = await connection.execute(FOUND, [self.lines, [float(number) for number in numbers]])
                row = await found.fetchone()
        return int(row[0]) if row else 0

    def _publish(self, line: str) -> int:
        number, self._next = self._next, self._next + 1
        payload = b'{"count": 1, "running": true, "pressure": %d}' % number
        topic = f"production/{line}/data"
        message = Message(number, line, "data", topic, payload, pieces=1, running=True)
        with self._turn:
            self._ledger.sent(message)
            self._ledger.flush()
        # Not in our turn: paho holds a lock of its own here, and when it calls `_on_publish`.
        mid = self._client.publish(message.topic, message.payload, qos=1).mid
        with self._turn:
            if mid in self._early:
                self._early.discard(mid)
                self._ledger.acked(number)
                self._ledger.flush()
            else:
                self._waiting[mid] = number
        return number

    def _on_connect(self, *_: object) -> None:
        with self._turn:
            for number in self._waiting.values():  # the client sends them once more
                self._ledger.again(number)
            self._ledger.flush()

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._turn:
            number = self._waiting.pop(mid, None)
            if number is None:
                self._early.add(mid)
            else:
                self._ledger.acked(number)
                self._ledger.flush()


def lines_of_partitions(partitions: int) -> list[str]:
    """A line's name for each partition of the log."""
    place = places(partitions)
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        number += 1
        line = f"probe{number}"
        found.setdefault(place(f"production/{line}/data").partition, line)
    return [found[partition] for partition in sorted(found)]
