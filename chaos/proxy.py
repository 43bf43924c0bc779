"""A TCP proxy in a process of its own, whose links can be broken.

`python -m chaos.proxy` reads one JSON object a line and answers each with `ok`:
    {"link": "sinks-postgres", "listen": 20001, "to": 5432}      a new link
    {"link": "sinks-postgres", "mode": "drop"}                   from now on, for every connection of the link
    {"link": "sinks-postgres", "mode": "cut", "after": 20000}
It ends when its input does.
"""

import asyncio
import json
import socket
import struct
import sys
from typing import Any, cast

import uvloop

HOST = "127.0.0.1"
RST_ON_CLOSE = struct.pack("ii", 1, 0)
MODES = {
    "pass": "bytes go through",
    "refuse": "nobody listens: connections are ended, new ones are refused",
    "reset": "connections are reset, new ones as soon as they say something",
    "drop": "connections stay open and nothing passes, as if every packet were lost; later all of it does",
    "cut": "each connection is reset after so many further bytes, in the middle of whatever passes",
}


class Half(asyncio.Protocol):
    """One side of a connection: passes what it receives to the other side."""

    def __init__(self, link: "Link", other: "Half | None" = None) -> None:
        self.link = link
        self.other = other
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.held = b""  # received before the other side was connected, or in mode `drop`
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.link.made(self)

    def data_received(self, data: bytes) -> None:
        self.link.passing(self, data)

    def eof_received(self) -> bool:
        if self.other and self.other.transport and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True  # the other direction goes on

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended = True
        self.link.halves.discard(self)
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        self._full = True
        if self.other:
            self.other.flow()

    def resume_writing(self) -> None:
        self._full = False
        if self.other:
            self.other.flow()

    def flow(self) -> None:
        """Read while the other side has room and the link lets bytes pass."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.other is None or self.other.transport is None or self.other._full or self.link.mode == "drop":
            self.transport.pause_reading()
            return
        held, self.held = self.held, b""
        if held:
            self.link.passing(self, held)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def abort(self) -> None:
        """End it with a RST."""
        if self.transport is not None and not self.ended:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
            self.transport.abort()


class Link:
    """A port that leads to another port."""

    def __init__(self, listen: int, to: int) -> None:
        self.mode = "pass"
        self.halves: set[Half] = set()
        self._listen, self._to = listen, to
        self._server: asyncio.Server | None = None
        self._after = 0
        self._passed: dict[Half, int] = {}
        self._dialling: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Half(self), HOST, self._listen, reuse_address=True)

    async def become(self, mode: str, after: int = 0) -> None:
        """Change the mode, for present and future connections."""
        self.mode, self._after = mode, after
        self._passed.clear()
        if mode in ("refuse", "reset"):
            for half in list(self.halves):
                half.abort()
        if mode == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        elif mode != "refuse" and self._server is None:
            await self.open()
        for half in list(self.halves):
            self._attend(half)

    def made(self, half: Half) -> None:
        """A connection was accepted, or the onward connection was made."""
        self.halves.add(half)
        self._attend(half)
        if half.other is not None:
            half.other.flow()

    def _attend(self, half: Half) -> None:
        if half.other is None and self.mode in ("pass", "cut"):
            half.other = Half(self, half)
            task = asyncio.ensure_future(self._dial(half, half.other))
            self._dialling.add(task)
            task.add_done_callback(self._dialling.discard)
        if self.mode == "reset" and half.other is None and half.transport is not None:
            half.transport.resume_reading()  # until it sends something
        else:
            half.flow()

    async def _dial(self, near: Half, far: Half) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, HOST, self._to)
        except OSError:
            near.abort()
            return
        if near.ended or self.mode in ("refuse", "reset"):
            far.abort()
            near.abort()

    def passing(self, half: Half, data: bytes) -> None:
        """Handle bytes from one side for the other."""
        other = half.other
        if self.mode == "reset":
            half.abort()
            return
        if self.mode == "drop" or other is None or other.transport is None:
            half.held += data
            half.flow()
            return
        if self.mode == "cut":
            passed = self._passed[half] = self._passed.get(half, 0) + len(data)
            if passed > self._after:
                other.transport.write(data[: max(0, len(data) - (passed - self._after))])
                half.other = None
                other.transport.close()  # after it has written its part
                half.abort()
                return
        other.transport.write(data)


async def serve() -> None:
    """Follow the commands on standard input, until its end."""
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    links: dict[str, Link] = {}
    while line := await commands.readline():
        command: dict[str, Any] = json.loads(line)
        name = command["link"]
        if "to" in command:
            links[name] = Link(command["listen"], command["to"])
            await links[name].open()
        else:
            await links[name].become(command["mode"], command.get("after", 0))
        print("ok", flush=True)


if __name__ == "__main__":
    uvloop.run(serve())
