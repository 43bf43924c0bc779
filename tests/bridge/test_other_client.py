"""Bridges with different client ids on one log: each message would be written twice. One is refused."""

from collections import Counter
from collections.abc import Callable

import pytest

from bridge.kafka import write_fence
from bridge.run import BATCH_BYTES
from linepulse.embedded.ports import free_port
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings
from schemas.raw import Kind
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine, headers
from tests.bridge.test_exactly_once import counted, right, written
from tests.eventually import wait_until
from tests.services import Services

SettingsFor = Callable[..., Settings]


def beside(settings: Settings, client: str) -> Settings:
    """The same servers and log, under another client id."""
    return settings.model_copy(update={"http_port": free_port(), "mqtt_client_id": client})


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b'{"count":1,"n":%d}' % number for number in range(start, start + count)]


async def test_the_second_is_refused_and_the_first_does_not_notice(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Exit code 2, both names in one line, no fence; not one message is missing, doubled or void."""
    settings, each = settings_for(), 300
    first = start(settings).listening()
    second: BridgeProcess | None = None
    async with Log(settings) as log:
        with Machine(settings) as machine:
            sent = []
            for number, payload in enumerate(numbered(each)):
                sent += [
                    info for line in lines for info in machine.publish(f"production/{line}/data", [payload])
                ]
                if number == each // 3:
                    second = start(beside(settings, "newcomer"))
            assert second is not None
            assert second.ended(30) == 2
            said = second.errors().splitlines()[-1]
            assert "'newcomer'" in said
            assert f"'{settings.mqtt_client_id}'" in said
            for info in sent:
                info.wait_for_publish(60)
        await written(log, each * len(lines))
        await log.settled()
        data = log.of_kind(Kind.DATA)
        assert Counter(record.value for record in data) == dict.fromkeys(numbered(each), len(lines))
        assert {headers(record).run for record in log.records} == {1}
        assert {headers(record).client for record in log.records} == {settings.mqtt_client_id}
    assert first.logged().count("bridge.listening") == 1
    assert first.terminate() == 0


async def test_of_two_that_start_at_once_on_an_empty_log_one_goes_on(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """The other one is refused; what was acknowledged to the machine since is there, once."""
    settings = settings_for()
    both = [start(settings), start(beside(settings, "twin"))]
    wait_until(lambda: sum(bridge.running() for bridge in both) == 1, "one to be refused", 60)
    (stays,) = [bridge for bridge in both if bridge.running()]
    (goes,) = [bridge for bridge in both if not bridge.running()]
    assert goes.ended() == 2
    stays.listening()
    async with Log(settings) as log:
        with Machine(settings) as machine:
            for line in lines:
                machine.deliver(f"production/{line}/data", numbered(50))
        await written(log, 50 * len(lines))
        await log.settled()
        assert counted(log) == dict.fromkeys(lines, 50)
        assert len(log.of_kind(Kind.DATA)) == 50 * len(lines)
    assert stays.terminate() == 0


@pytest.mark.parametrize("idle", [False, True], ids=["under load", "idle"])
async def test_a_run_above_its_own_is_noticed_before_anything_void_is_acknowledged(
    services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str], idle: bool
) -> None:
    """A bridge of an older release, which writes no client id, ran for a moment with a session of its own.

    What the machine was acknowledged is in the log, not void, once; nobody who lives threw this one out.
    """
    settings, each = settings_for(), 400
    bridge = start(settings).listening()
    async with Log(settings) as log:
        with Machine(settings) as machine:

            def load() -> None:
                for payload in numbered(each // 2):
                    for line in lines:
                        machine.publish(f"production/{line}/data", [payload])

            load()
            if idle:
                await written(log, each // 2 * len(lines))
            await intrude(settings, 2)
            if not idle:
                load()
            bridge.listening(2)
            if idle:
                load()
            await written(log, each * len(lines))
        await log.settled()
        wait_until(lambda: bridge.metric("linepulse_mqtt_in_flight") == 0, "all acknowledged")
        assert right(services, counted(log), dict.fromkeys(lines, each))
        assert max(headers(record).run for record in log.records) == 3
    assert bridge.metric("linepulse_mqtt_superseded_total") >= 1
    assert "another bridge began run 2" in bridge.last_facts("bridge.again")["why"]
    assert bridge.terminate() == 0


async def intrude(settings: Settings, run: int) -> None:
    """Write a fence as a bridge would that names no client id."""
    producer = await open_producer(settings, BATCH_BYTES)
    try:
        await write_fence(producer, settings.model_copy(update={"mqtt_client_id": ""}), run, 0)
    finally:
        await close_producer(producer)
