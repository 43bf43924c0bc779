"""The modes of the campaign's proxy do what they promise."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.links import Links
from tests.eventually import eventually

LINK = "between"


class Echo:
    """A server that gives back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self.heard += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        self.ended += 1
        writer.close()

    def stop(self) -> None:
        if self._server:
            self._server.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    server = Echo()
    await server.start()
    yield server
    server.stop()


@pytest.fixture
async def links(echo: Echo, tmp_path: Path) -> AsyncIterator[Links]:
    async with Links(tmp_path / "proxy.log") as links:
        await links.add(LINK, echo.port)
        yield links


class Caller:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer

    @classmethod
    async def dial(cls, links: Links) -> "Caller":
        return cls(*await asyncio.open_connection("127.0.0.1", links.ports[LINK]))

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hears(self, count: int, seconds: float = 10) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), seconds)

    async def is_reset(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.read(), 10)
        except ConnectionResetError:
            return True
        return False

    def close(self) -> None:
        self._writer.close()


async def test_bytes_go_through_and_so_does_the_end(links: Links, echo: Echo) -> None:
    """Ten megabytes come back as they were; then the server hears that the caller left."""
    caller = await Caller.dial(links)
    sent = bytes(range(256)) * 40_000
    caller.say(sent)
    assert await caller.hears(len(sent), 30) == sent
    caller.close()

    async def ended() -> bool:
        return echo.ended == 1

    await eventually(ended, "the server to see the end")


async def test_refuse_ends_what_is_there_and_what_comes_until_it_passes_again(links: Links) -> None:
    """Like a server whose process has ended."""
    caller = await Caller.dial(links)
    caller.say(b"one")
    await caller.hears(3)
    await links.become(LINK, "refuse")
    assert await caller.is_reset()
    with pytest.raises(ConnectionRefusedError):
        await Caller.dial(links)
    await links.become(LINK, "pass")
    again = await Caller.dial(links)
    again.say(b"two")
    assert await again.hears(3) == b"two"
    again.close()


async def test_reset_lets_nobody_talk(links: Links, echo: Echo) -> None:
    """A new connection is made, and reset at its first bytes; the server never gets them."""
    caller = await Caller.dial(links)
    caller.say(b"one")
    await caller.hears(3)
    await links.become(LINK, "reset")
    assert await caller.is_reset()
    other = await Caller.dial(links)
    other.say(b"two")
    assert await other.is_reset()
    assert bytes(echo.heard) == b"one"


async def test_dropped_bytes_come_later_and_connections_stay(links: Links, echo: Echo) -> None:
    """Old and new connections hang without an error; when the link heals, everything arrives, in order."""
    old = await Caller.dial(links)
    old.say(b"one")
    await old.hears(3)
    await links.become(LINK, "drop")
    new = await Caller.dial(links)
    old.say(b"two")
    new.say(b"three")
    with pytest.raises(TimeoutError):
        await old.hears(1, 0.5)
    assert bytes(echo.heard) == b"one"
    await links.become(LINK, "pass")
    assert await old.hears(3) == b"two"
    assert await new.hears(5) == b"three"
    old.close()
    new.close()


async def test_cut_ends_a_connection_in_the_middle_of_a_message(links: Links, echo: Echo) -> None:
    """Exactly so many bytes arrive; the caller is reset; the next connection is cut as well."""
    await links.become(LINK, "cut", after=1000)
    for times in (1, 2):
        caller = await Caller.dial(links)
        caller.say(b"x" * 1700)
        assert await caller.is_reset()

        async def ended(times: int = times) -> bool:
            return echo.ended == times

        await eventually(ended, "the server to see the cut")
        assert len(echo.heard) == 1000 * times
    await links.become(LINK, "pass")
    caller = await Caller.dial(links)
    caller.say(b"y" * 1700)
    assert await caller.hears(1700) == b"y" * 1700
    caller.close()
