"""While Kafka is away the MQTT broker's buffer fills, which is reported: how much, how long, and losses."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.settings import Settings
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine
from tests.commands import environment, linepulse
from tests.eventually import wait_until
from tests.services import OwnServers, Services
from tests.services.native import Mosquitto

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]


@pytest.fixture
def mosquitto(services: Services) -> None:
    if services.kind != "native":
        pytest.skip("the embedded broker says nothing of itself")


class Forgetful(Mosquitto):
    """Keeps 100 messages for a session, and discards the others."""

    def prepare(self) -> None:
        super().prepare()
        config = self.folder / "mosquitto.conf"
        text = config.read_text().replace("max_queued_messages 0", "max_queued_messages 100")
        config.write_text(text.replace("max_inflight_messages 1000", "max_inflight_messages 20"))


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Forgetful]:
    server = Forgetful(tmp_path / "forgetful")
    server.start()
    yield server
    server.kill()


def waiting(bridge: BridgeProcess) -> float:
    return bridge.metric("linepulse_mqtt_broker_waiting")


def left(bridge: BridgeProcess) -> float:
    return bridge.metric("linepulse_mqtt_budget_seconds")


@pytest.mark.usefixtures("mosquitto")
async def test_kafka_away_the_buffer_fills_and_empties(
    own: OwnServers, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """More messages wait, less time is left, the log reports both; afterwards it reports that all is read."""
    kafka, broker, line = own.kafka(), own.mqtt(), lines[0]
    settings = settings_for(kafka=kafka, mqtt=broker, mqtt_budget_messages=100_000, mqtt_receive_maximum=50)
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", [b"before %d" % n for n in range(600)])
        wait_until(lambda: waiting(bridge) == 0 and left(bridge) < math.inf, "the broker's figures")
        kafka.kill()
        machine.deliver(f"production/{line}/data", [b"1 %d" % n for n in range(2_000)])
        wait_until(lambda: waiting(bridge) >= 2_000, "2 000 messages")
        bridge.wait_for("bridge.kafka_silent")
        machine.deliver(f"production/{line}/data", [b"2 %d" % n for n in range(3_000)])
        wait_until(lambda: waiting(bridge) >= 5_000, "5 000 messages")
        bridge.wait_for("bridge.buffer_lasts")
        assert bridge.last_facts("bridge.buffer_lasts")["count"] >= 2_000
        before = left(bridge)
        assert 0 < before < math.inf
        sent = 0

        def less_room() -> bool:
            nonlocal sent
            sent += 200
            machine.deliver(f"production/{line}/data", [b"3 %d" % (sent + n) for n in range(200)])
            return left(bridge) < before

        wait_until(less_room, "less time", rest=0)
        told = linepulse(environment(settings, KAFKA_BOOTSTRAP_SERVERS=kafka.url), "doctor").stdout
        assert "messages wait, in all its sessions; room for" in told
        assert "look whether the bridge and Kafka run" in told
        kafka.start()
        bridge.wait_for("bridge.buffer_drained")
        assert bridge.last_facts("bridge.buffer_drained")["count"] >= 5_000
        wait_until(lambda: waiting(bridge) == 0, "an empty buffer")
        async with Log(settings) as log:
            assert len(await log.holds(5_600 + sent, line)) == 5_600 + sent
    assert bridge.metric("linepulse_mqtt_broker_dropped") == 0
    assert bridge.terminate() == 0
    assert bridge.errors().count("Traceback") == 0


@pytest.mark.usefixtures("mosquitto")
async def test_what_the_broker_throws_away_is_told(
    forgetful: Forgetful, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """The bridge is away, with a queue of 100: the loss is a metric, a line of the log and a finding."""
    settings = settings_for(mqtt=forgetful)
    bridge = start(settings).listening()
    assert bridge.terminate() == 0
    with Machine(settings) as machine:
        machine.deliver(f"production/{lines[0]}/data", [b"%d" % n for n in range(1_000)])
    bridge = start(settings).listening().wait_for("bridge.broker_drops")
    # What the broker told last may be of a moment in the middle of them.
    wait_until(lambda: bridge.last_facts("bridge.broker_drops")["total"] >= 800, "all of the drops")
    dropped = bridge.last_facts("bridge.broker_drops")["total"]
    assert dropped <= 900
    assert bridge.metric("linepulse_mqtt_broker_dropped") == dropped
    told = linepulse(environment(settings), "doctor")
    assert told.returncode == 1
    assert f"threw {dropped} messages away" in told.stdout


def test_a_broker_that_says_nothing_of_itself(
    services: Services, settings_for: SettingsFor, start: Bridges
) -> None:
    """The figures are not known, which is no error."""
    if services.kind != "embedded":
        pytest.skip("Mosquitto publishes $SYS")
    settings = settings_for()
    bridge = start(settings).listening()
    assert math.isnan(waiting(bridge))
    assert math.isnan(left(bridge))
    told = linepulse(environment(settings), "doctor")
    assert "✅ MQTT broker's buffer: not known" in told.stdout
    assert bridge.running()
    assert bridge.errors() == ""
