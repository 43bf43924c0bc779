"""Two bridges of one client id, both alive: one works, the other stands by until the first one dies."""

import signal
import time
from collections.abc import Callable

import pytest

from bridge.kafka import read_tail, write_fence
from bridge.run import BATCH_BYTES
from linepulse.embedded.ports import free_port
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine
from tests.bridge.test_exactly_once import SAME, counted, right, written
from tests.eventually import wait_until
from tests.services import Services

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
TAKEN_OVER_S = 30.0


def connects(*bridges: BridgeProcess) -> float:
    return sum(bridge.metric("linepulse_mqtt_connects_total") for bridge in bridges)


def agree(older: BridgeProcess, newer: BridgeProcess) -> tuple[BridgeProcess, BridgeProcess]:
    """Wait until one stands by and the other works; return them in this order. Either may be newer."""

    def working(bridge: BridgeProcess) -> bool:
        return bridge.metric("linepulse_mqtt_connected") == 1

    def standing_by(bridge: BridgeProcess) -> bool:
        return bridge.metric("linepulse_mqtt_standby") == 1

    newer.wait_for("bridge.connected")
    wait_until(lambda: {standing_by(older), standing_by(newer)} == {True, False}, "one to stand by")
    if standing_by(newer):
        older, newer = newer, older
    wait_until(lambda: working(newer), "the other to work")
    return older, newer


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_one_that_was_thrown_out_stands_by_and_takes_over(
    services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str], end: signal.Signals
) -> None:
    """A few connections until they agree, none while both are alive; then the second is killed or frozen."""
    settings = settings_for()
    first = start(settings).listening()
    each, sent = 500, 0
    with Machine(settings) as machine:

        def load() -> None:
            nonlocal sent
            sent += each
            for _ in range(each):
                for line in lines:
                    machine.publish(f"production/{line}/data", [SAME])

        load()
        first, second = agree(first, start(settings.model_copy(update={"http_port": free_port()})))
        agreed = connects(first, second)
        assert agreed <= 6
        async with Log(settings) as log:
            for _ in range(4 if end == signal.SIGKILL else 1):  # four ticks: longer than SILENCE_S
                load()
                await written(log, sent * len(lines))
                beats = len(log.records)
                wait_until(lambda: connects(first, second) == agreed, "no further connection")
                while len(log.records) < beats + settings.partitions:  # each gets a tick in 5 s
                    await log.read()
            assert (
                first.logged().count("bridge.listening") + second.logged().count("bridge.listening") <= agreed
            )
            assert connects(first, second) == agreed
            listened = first.logged().count("bridge.listening")
            if end == signal.SIGKILL:
                second.kill()
            else:
                second.send(end)
            ended = time.monotonic()
            load()
            first.listening(listened + 1)
            assert time.monotonic() - ended < TAKEN_OVER_S
            assert first.metric("linepulse_mqtt_standby") == 0
            await written(log, sent * len(lines))
            await log.settled()
            assert right(services, counted(log), dict.fromkeys(lines, sent))
    assert first.terminate() == 0


async def test_of_two_fences_of_one_number_only_the_first_holds(settings_for: SettingsFor) -> None:
    """Two bridges that read the same tail: the one whose fence is second detects it, and begins again."""
    settings = settings_for()
    producer = await open_producer(settings, BATCH_BYTES)
    try:
        await write_fence(producer, settings, 6, 0)
        first = await write_fence(producer, settings, 7, 0)
        second = await write_fence(producer, settings, 7, 0)
        assert (await read_tail(settings, first)).run == 6
        assert (await read_tail(settings, second)).run == 7
    finally:
        await close_producer(producer)


def test_a_bridge_that_stands_by_ends_when_asked(settings_for: SettingsFor, start: Bridges) -> None:
    """At once, without touching the session; until then it reports that it is not ready."""
    settings = settings_for()
    first = start(settings).listening()
    first, second = agree(first, start(settings.model_copy(update={"http_port": free_port()})))
    before = connects(second)
    assert first.terminate() == 0
    assert connects(second) == before
    assert second.terminate() == 0
