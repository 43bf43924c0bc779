"""A bridge that does not read back: what it stored, and whose acknowledgements were lost, is stored again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import bridge.run
from bridge.clock import LogClock
from bridge.deduplicator import Deduplicator
from bridge.log_continuity import LogContinuity
from bridge.record import Delivery
from runtime.narrator import Narrator
from runtime.settings import Settings
from tests.bridge.conftest import NO_DATABASE
from tests.bridge.rig import Log
from tests.bridge.test_exactly_once import counted
from tests.services import Services

SAME = b'{"count":1}'


class Broker:
    """Stands in for a connection to a broker that keeps the session, and hears no acknowledgement."""

    packets: range

    def __init__(
        self,
        _settings: Settings,
        on_delivery: Callable[[Delivery], None],
        on_burst: Callable[[], None],
        on_pong: Callable[[], None],
    ) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.paused = False
        self._on_delivery = on_delivery
        self._on_burst = on_burst
        self._on_pong = on_pong

    async def open(self) -> bool:
        return True

    async def subscribe(self) -> None:
        for mid in self.packets:
            self._on_delivery(Delivery("production/ligne1/data", SAME, 1, False, False, mid))
        self._on_burst()

    def ack(self, _mids: list[int]) -> None:
        """Lost on its way."""

    def pause(self) -> None:
        """All is sent already."""

    def resume(self) -> None:
        """All is sent already."""

    def ping(self) -> None:
        """No answer: more may come."""

    async def leave(self) -> None:
        """Nothing to say."""

    def drop(self) -> None:
        """Nothing to end."""


class KnowsNothing(Deduplicator):
    """Takes every delivery for a new one."""

    def holds(self, _delivery: Delivery) -> bool:
        return False


async def reads_nothing(*_: Any) -> list[Any]:
    """The log's tail, not looked at."""
    return []


async def two_lives(settings: Settings) -> int:
    """Of ten messages six are stored in the first life; the second is sent all ten. What the log counts."""
    for packets in (range(1, 7), range(1, 11)):
        stop = asyncio.Event()
        run = bridge.run.Run(settings, Narrator("en"), LogClock(lambda _: None), LogContinuity(), stop.set)
        Broker.packets = packets
        await run.go(stop)
    async with Log(settings) as log:
        await log.settled()
        return counted(log)["ligne1"]


@pytest.mark.parametrize(
    ("without", "messages"),
    [
        ({}, 10),
        ({"Deduplicator": KnowsNothing}, 16),
        ({"read_back": reads_nothing}, 16),
    ],
    ids=["with", "recognises nothing", "reads nothing back"],
)
async def test_read_back(
    services: Services, monkeypatch: pytest.MonkeyPatch, without: dict[str, Any], messages: int
) -> None:
    """Messages whose acknowledgement was lost with the bridge would count twice."""
    monkeypatch.setattr(bridge.run, "Connection", Broker)
    for name, override in without.items():
        monkeypatch.setattr(bridge.run, name, override)
    settings = services.settings(database_url=NO_DATABASE, mqtt_packet_ids=65_535)
    assert await two_lives(settings) == messages
