"""The MQTT client's socket: buffered, so that a small message costs no system call of its own.

paho makes three system calls for each packet that it reads, and one for each that it writes.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

CHUNK_BYTES = 64 * 1024


class BufferedSocket:
    """A non-blocking socket, plain or TLS, as paho's `SocketLike`.

    `send` only buffers, `flush` writes. Each `send` takes a whole packet, so a packet of our own can go
    between two of paho's.
    """

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._read = b""
        self._at = 0
        self._unsent = bytearray()

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the connection's end.

        Raises:
            BlockingIOError, ssl.SSLWantReadError: nothing there now.
        """
        if self._at == len(self._read):
            if size >= CHUNK_BYTES:
                return self._raw.recv(size)
            self._read, self._at = self._raw.recv(CHUNK_BYTES), 0
        data = self._read[self._at : self._at + size]
        self._at += len(data)
        return data

    def has_more(self) -> bool:
        """Whether bytes are buffered here or in the TLS layer, which the kernel will not announce again."""
        if self._at < len(self._read):
            return True
        return isinstance(self._raw, ssl.SSLSocket) and self._raw.pending() > 0

    def send(self, data: bytes | bytearray) -> int:
        """Buffer all of `data` for the next `flush`."""
        self._unsent += data
        return len(data)

    def flush(self) -> bool:
        """Write what is buffered; False if the kernel has no room for all of it now.

        Raises:
            OSError: the connection is gone.
        """
        try:
            while self._unsent:
                sent = self._raw.send(self._unsent)
                del self._unsent[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def setblocking(self, flag: bool) -> None:
        self._raw.setblocking(flag)

    def close(self) -> None:
        self._raw.close()


class Client(mqtt.Client):
    """paho's client on a BufferedSocket; calls `on_pingresp` when the broker has answered a ping."""

    on_pingresp: Callable[[], None] = staticmethod(lambda: None)

    def _create_socket(self) -> Any:
        raw = super()._create_socket()
        assert isinstance(raw, socket.socket)
        if not isinstance(raw, ssl.SSLSocket):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return BufferedSocket(raw)

    def _handle_pingresp(self) -> MQTTErrorCode:
        outcome = super()._handle_pingresp()
        self.on_pingresp()
        return outcome
