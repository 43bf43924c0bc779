"""Exactly once at QoS 1: identical messages, bridges that die and freeze, one log."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable

import paho.mqtt.client as mqtt
import pytest
from aiokafka import ConsumerRecord

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from schemas.raw import Kind
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine, headers
from tests.eventually import eventually
from tests.services import Services

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
SAME = b'{"count":1}'


def counted(log: Log) -> Counter[str]:
    """Data records by line, without those of a run that another had superseded in their partition."""
    highest: Counter[int] = Counter()
    found: Counter[str] = Counter()
    for record in sorted(log.records, key=lambda record: (record.partition, record.offset)):
        told = headers(record)
        if told.run >= highest[record.partition]:
            highest[record.partition] = told.run
            if told.kind is Kind.DATA:
                found[record.key.decode()] += 1
    return found


async def written(log: Log, count: int) -> None:
    """Wait until so many data records are there, superseded ones not counted."""

    async def enough() -> bool:
        await log.read()
        return len(log.records) >= count and sum(counted(log).values()) >= count

    await eventually(enough, f"{count} records")


def right(services: Services, found: Counter[str], expected: dict[str, int]) -> bool:
    """Each once; on the embedded broker, which changes packet ids of what it sends again, at least once."""
    if services.kind == "embedded":
        return all(found[line] >= count for line, count in expected.items())
    return found == expected


async def test_identical_messages_count_once_however_often_the_bridge_is_killed(
    services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Five lives under load, the same eleven bytes over and over: only packet ids tell messages apart."""
    settings = settings_for()
    bridge = start(settings).listening()
    lives, each = 5, 1500
    topics = [f"production/{line}/data" for _ in range(each) for line in lines]
    async with Log(settings) as log:
        with Machine(settings) as machine:

            def publish() -> list[mqtt.MQTTMessageInfo]:
                return [info for topic in topics for info in machine.publish(topic, [SAME])]

            for life in range(lives):
                publishing = asyncio.create_task(asyncio.to_thread(publish))
                await bridge.acknowledges(100)
                bridge.kill()
                under_way = not publishing.done() or not all(info.is_published() for info in await publishing)
                assert under_way, "killed when its work may have been done"
                await publishing
                bridge = start(settings).listening()
                await written(log, (life + 1) * len(topics))
        await log.settled()
        assert right(services, counted(log), dict.fromkeys(lines, lives * each))
    assert bridge.terminate() == 0


async def test_a_frozen_bridge_that_thaws_beside_its_successor_doubles_nothing(
    services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """What it still writes is behind the fence of the next run, and void."""
    settings = settings_for()
    frozen = start(settings).listening()
    each = 1500
    async with Log(settings) as log:
        with Machine(settings) as machine:
            for _ in range(each):
                for line in lines:
                    machine.publish(f"production/{line}/data", [SAME])
            await written(log, each * len(lines) // 4)
            freeze(frozen)
            successor = start(settings.model_copy(update={"http_port": free_port()})).listening()
            await written(log, each * len(lines) // 2)
            thaw(frozen)
            frozen.wait_for("bridge.again")
            frozen.kill()
            successor.listening(len([key for key in successor.logged() if key == "bridge.listening"]))
            await written(log, each * len(lines))
        await log.settled()
        assert right(services, counted(log), dict.fromkeys(lines, each))
    runs = {headers(record).run for record in log.records}
    assert len(runs) >= 2
    assert successor.running()


async def test_each_run_begins_with_its_fence_in_every_partition(
    settings_for: SettingsFor, start: Bridges
) -> None:
    """A tick of the next number, also after a clean end."""
    settings = settings_for()
    async with Log(settings) as log:
        for run in (1, 2, 3):
            bridge = start(settings).listening()
            await fences(log, settings, run)
            assert bridge.terminate() == 0


async def fences(log: Log, settings: Settings, run: int) -> None:
    async def there() -> bool:
        await log.read()
        of_run = [record for record in log.records if headers(record).run == run]
        return {record.partition for record in of_run if first(of_run, record)} == set(
            range(settings.partitions)
        )

    await eventually(there, f"the fence of run {run}")


def first(records: list[ConsumerRecord], record: ConsumerRecord) -> bool:
    """Whether a record is the first of its partition, and a tick."""
    same = [other.offset for other in records if other.partition == record.partition]
    return record.offset == min(same) and headers(record).kind is Kind.TICK


def freeze(bridge: BridgeProcess) -> None:
    bridge.send(signal.SIGSTOP)


def thaw(bridge: BridgeProcess) -> None:
    bridge.send(signal.SIGCONT)
