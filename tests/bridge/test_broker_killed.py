"""Mosquitto itself is killed with SIGKILL. It acknowledges in memory, and saves from time to time.

So it loses what it had acknowledged to machines and not delivered, and brings back what it had saved and
delivered since. Both are the broker's, and counted here as such: what is the pipeline's is that the bridge
recovers by itself, and that everything that was delivered to it is in the log.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from runtime.settings import Settings
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine
from tests.eventually import wait_until
from tests.services import OwnServers, Services
from tests.services.native import Mosquitto

SettingsFor = Callable[..., Settings]
SAVED, BETWEEN, UNSAVED, AFTER = 400, 3_000, 3_000, 500


def save(broker: Mosquitto) -> None:
    """Have Mosquitto save now, and wait until it has."""
    file = broker.folder / "mosquitto.db"
    before = file.stat().st_mtime_ns if file.exists() else 0
    os.kill(broker.pid, signal.SIGUSR1)
    wait_until(lambda: file.exists() and file.stat().st_mtime_ns > before, "Mosquitto to save")


def received(bridge: BridgeProcess) -> float:
    return bridge.metric('linepulse_mqtt_received_total{kind="data"}')


async def test_packet_ids_that_come_again_do_not_hide_new_messages(
    own: OwnServers, services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Mosquitto comes back as it was 500 messages ago, and gives their packet ids to 500 like them."""
    if services.kind != "native":
        pytest.skip("about Mosquitto, which is killed")
    broker = own.mqtt()
    assert isinstance(broker, Mosquitto)
    settings = settings_for(mqtt=broker)
    bridge = start(settings).listening()

    def deliver(count: int, total: int) -> None:
        with Machine(settings) as machine:
            machine.deliver(f"production/{lines[0]}/data", [b'{"count":1}'] * count)
        wait_until(lambda: bridge.metric("linepulse_mqtt_acked_total") == total, f"{total} acknowledged")

    deliver(100, 100)
    save(broker)
    deliver(500, 600)
    broker.kill()
    bridge.wait_for("bridge.again")
    broker.start()
    bridge.wait_for("bridge.caught_up")
    deliver(500, 1_100)
    assert bridge.metric("linepulse_mqtt_recognised_total") == 0
    assert received(bridge) == 1_100
    assert bridge.terminate() == 0


async def test_mosquitto_killed_and_started_again(
    own: OwnServers,
    services: Services,
    settings_for: SettingsFor,
    start: Bridges,
    lines: list[str],
) -> None:
    """Saved with messages waiting, killed with others acknowledged and not saved, started again."""
    if services.kind != "native":
        pytest.skip("about Mosquitto, which is killed")
    broker = own.mqtt()
    assert isinstance(broker, Mosquitto)
    settings, topic, acknowledged = settings_for(mqtt=broker), f"production/{lines[0]}/data", set[bytes]()

    def deliver(name: str, count: int) -> None:
        payloads = [f"{name} {number}".encode() for number in range(count)]
        with Machine(settings) as machine:
            machine.deliver(topic, payloads)
        acknowledged.update(payloads)

    bridge = start(settings).listening()
    async with Log(settings) as log:
        bridge.send(signal.SIGSTOP)
        deliver("saved", SAVED)
        save(broker)
        bridge.send(signal.SIGCONT)
        deliver("between", BETWEEN)
        await log.holds(SAVED + BETWEEN, lines[0])
        bridge.send(signal.SIGSTOP)
        deliver("unsaved", UNSAVED)
        broker.kill()
        bridge.send(signal.SIGCONT)
        bridge.wait_for("bridge.again")
        broker.start()
        bridge.listening(2)
        deliver("after", AFTER)

        await log.holds(SAVED + BETWEEN + AFTER, lines[0])
        await log.settled()
        records = Counter(record.value for record in log.of(lines[0]))
    lost = acknowledged - records.keys()
    again = sum(records.values()) - len(records)
    print(f"of {len(acknowledged)} acknowledged the broker lost {len(lost)}, and brought back {again}")  # -rP
    assert records.keys() <= acknowledged
    assert {payload.split()[0] for payload in lost} == {b"unsaved"}
    assert {payload.split()[0] for payload, times in records.items() if times > 1} <= {b"saved"}
    assert again <= SAVED
    assert sum(payload.startswith(b"after") for payload in records) == AFTER
    # Nothing that was delivered is missing: whatever the bridge took and did not recognise is in the log.
    assert sum(records.values()) == received(bridge)
    assert bridge.metric("linepulse_mqtt_in_flight") == 0
    assert bridge.terminate() == 0
