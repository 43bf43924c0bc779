"""The bridge's memory while Kafka is away and machines go on: bounded, whatever the protocol."""

import asyncio
import itertools
import subprocess
from collections.abc import Callable

import pytest

from runtime.settings import Settings
from tests.bridge.conftest import Bridges
from tests.bridge.rig import Log, Machine
from tests.eventually import eventually, wait_until
from tests.services import OwnServers, Services

SettingsFor = Callable[..., Settings]
MIB = 1 << 20
BYTES = 1000
FIRST, MORE = 8_000, 24_000  # 24 MB more than the bridge may hold, of which it would hold more than MARGIN
MARGIN = 8 * MIB


@pytest.mark.parametrize(("version", "qos"), [("5", 1), ("3.1.1", 1), ("5", 0)])
async def test_memory_does_not_grow_with_an_outage(
    own: OwnServers,
    services: Services,
    settings_for: SettingsFor,
    start: Bridges,
    lines: list[str],
    version: str,
    qos: int,
) -> None:
    """Kafka freezes; after the first 8 000 messages 24 000 more change nothing; afterwards all are there."""
    if services.kind == "embedded" and qos == 0:
        pytest.skip("the embedded broker hands QoS 0 over at QoS 1")
    kafka, numbers = own.kafka(), itertools.count()
    settings = settings_for(kafka=kafka, mqtt=own.mqtt(), mqtt_version=version)
    most = 2 * settings.mqtt_receive_maximum + 1
    bridge = start(settings, begin=subprocess.Popen).listening()  # its memory is its own
    with Machine(settings) as machine:

        async def send(count: int) -> None:
            payloads = [b"%06d" % next(numbers) + b"x" * BYTES for _ in range(count)]
            await asyncio.to_thread(machine.deliver, f"production/{lines[0]}/data", payloads, qos)

        await send(500)
        async with Log(settings) as log:
            await log.holds(500, lines[0])
        kafka.freeze()
        await send(FIRST)
        bridge.wait_for("bridge.kafka_silent")
        wait_until(lambda: 0 < bridge.metric("linepulse_mqtt_in_flight") <= most, "the window")
        before = bridge.peak_bytes()
        for _ in range(4):
            await send(MORE // 4)
            assert bridge.metric("linepulse_mqtt_in_flight") <= most
        assert bridge.peak_bytes() - before < MARGIN
        kafka.thaw()
        async with Log(settings) as log:
            found: set[bytes] = set()

            async def all_there() -> bool:
                await log.read()
                found.update(record.value for record in log.of(lines[0]))
                log.records.clear()
                return len(found) == 500 + FIRST + MORE

            await eventually(all_there, "every message", 120)
        assert bridge.peak_bytes() - before < 3 * MARGIN  # while it reads all that waited
    assert bridge.terminate() == 0
