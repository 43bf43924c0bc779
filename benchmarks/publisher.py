"""A publisher that costs next to nothing: MQTT 3.1.1 packets at QoS 1, written by hand at a steady rate.

On two cores shared with everything that is measured, a client library would take half a core for itself.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from schemas.instant import text_of

LINES = 20
BURSTS_A_SECOND = 100


def payload(at: int) -> bytes:
    """A data message made at `at` (ms)."""
    return (
        b'{"count":2,"targetRate":120,"rate":115.5,"defects":0,"running":true,"temperature":24.5,'
        b'"pressure":2.1,"timestamp":"%s"}' % text_of(at).encode()
    )


def line(number: int) -> bytes:
    """The line that the message of this number is of: each in its turn."""
    return b"ligne%d" % (number % LINES + 1)


class Publisher:
    """One connection; counts what the broker has acknowledged."""

    def __init__(
        self, url: str, name: Callable[[int], bytes] = line, client: bytes = b"linepulse-bench"
    ) -> None:
        """`name`: the line of the nth message; two publishers at once need two `client` ids."""
        self._name = name
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "localhost", parts.port or 1883))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        variable = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(client)) + client
        self._socket.sendall(bytes([0x10, len(variable)]) + variable)
        assert self._socket.recv(4)[3] == 0
        self.acknowledged = 0
        self._sent = 0
        threading.Thread(target=self._read, daemon=True).start()

    def publish(self, rate: int, seconds: float) -> int:
        """Publish so many messages a second, evenly; how many were sent."""
        began = time.monotonic()
        total = round(rate * seconds)
        first = self._sent
        while (done := self._sent - first) < total:
            due = min(total, int((time.monotonic() - began) * rate) + 1)
            if due > done:
                at = int(time.time() * 1000)
                self._socket.sendall(b"".join(self._packet(at) for _ in range(due - done)))
            time.sleep(1 / BURSTS_A_SECOND)
        return total

    def _packet(self, at: int) -> bytes:
        self._sent += 1
        topic = b"production/%s/data" % self._name(self._sent)
        body = (
            struct.pack(">H", len(topic)) + topic + struct.pack(">H", self._sent % 65_535 + 1) + payload(at)
        )
        length = len(body)
        return b"\x32" + bytes([length % 128 | 0x80, length // 128]) + body

    def _read(self) -> None:
        pending = 0
        while data := self._socket.recv(65_536):
            pending += len(data)
            self.acknowledged += pending // 4  # a PUBACK is four bytes
            pending %= 4

    def close(self) -> None:
        """Disconnect."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()
