"""Nothing is lost, whatever ends or does not answer. Repeats are recognised in test_exactly_once.py."""

import signal
import socket
import subprocess
from collections.abc import Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.settings import Settings
from schemas.raw import Kind
from tests.bridge.conftest import Bridges
from tests.bridge.no_name_server import NAME
from tests.bridge.rig import BridgeProcess, Log, Machine, by_line, first_times, headers
from tests.eventually import wait_until
from tests.services import AnyServer, OwnServers, Services

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
NEXT_TO_NOTHING = 10


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Payloads that all differ."""
    return [b"%06d" % number for number in range(start, start + count)]


def publish(machine: Machine, lines: list[str], payloads: list[bytes]) -> None:
    """The same payloads on each line, in turn, without waiting for the broker."""
    for payload in payloads:
        for line in lines:
            machine.publish(f"production/{line}/data", [line.encode() + payload])


def expected(lines: list[str], payloads: list[bytes]) -> dict[str, list[bytes]]:
    return {line: [line.encode() + payload for payload in payloads] for line in lines}


def received(bridge: BridgeProcess) -> float:
    return bridge.metric("linepulse_mqtt_acked_total")


async def test_sigkill_in_the_middle_loses_nothing(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Twice killed under load: every payload is there, each line's in order."""
    settings, payloads = settings_for(), numbered(1_500)
    with Machine(settings) as machine:
        bridge = start(settings).listening()
        publish(machine, lines, payloads)
        for _ in range(2):
            wait_until(lambda: received(bridge) >= 500, "500 messages")  # noqa: B023
            bridge.kill()
            bridge = start(settings).listening()
        async with Log(settings) as log:
            records = await log.holds(6_000, *lines)
    found = {line: first_times(got) for line, got in by_line(records).items()}
    assert found == expected(lines, payloads)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_clean_end_under_load_loses_nothing_and_repeats_nothing(
    settings_for: SettingsFor, start: Bridges, lines: list[str], signum: signal.Signals
) -> None:
    """Asked to end in the middle, it ends within 10 s; the next one goes on behind its last message, and is
    sent nothing that the log holds: what was written had been acknowledged."""
    settings, payloads = settings_for(), numbered(1_500)
    recognised = 0.0
    with Machine(settings) as machine:
        bridge = start(settings).listening()
        publish(machine, lines, payloads)
        for _ in range(2):
            wait_until(lambda: received(bridge) >= 500, "500 messages")  # noqa: B023
            recognised += bridge.metric("linepulse_mqtt_recognised_total")
            assert bridge.terminate(signum) == 0
            bridge = start(settings).listening()
        async with Log(settings) as log:
            await log.holds(6_000, *lines)
            await log.settled()
            records = log.of(*lines)
    recognised += bridge.metric("linepulse_mqtt_recognised_total")
    assert recognised <= NEXT_TO_NOTHING
    assert by_line(records) == expected(lines, payloads)
    assert bridge.errors() == ""


async def test_kafka_away_and_back(
    own: OwnServers, services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Kafka is killed (the embedded one, which keeps nothing: frozen) until that is reported, then back."""
    kafka = own.kafka()
    settings, payloads = settings_for(kafka=kafka), numbered(1_000)
    with Machine(settings) as machine:
        bridge = start(settings).listening()
        publish(machine, lines, payloads[:200])
        async with Log(settings) as log:
            await log.holds(800, *lines)
        away(kafka, services)
        publish(machine, lines, payloads[200:])
        wait_until(lambda: {"bridge.kafka_silent", "bridge.again"} & {*bridge.logged()}, "the silence told")
        assert bridge.metric("linepulse_mqtt_in_flight") <= 2 * settings.mqtt_receive_maximum + 1
        back(kafka, services)
        async with Log(settings) as log:
            records = await log.holds(4_000, *lines)
        wait_until(lambda: received(bridge) >= 4_000, "all acknowledged")
        assert bridge.terminate() == 0
    found = {line: first_times(got) for line, got in by_line(records).items()}
    assert found == expected(lines, payloads)
    if services.kind != "embedded":  # an idempotent producer sends again, and Kafka knows it
        assert len(records) == 4_000


async def test_the_mqtt_broker_away_and_back(
    own: OwnServers, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """The broker ends and starts again: the bridge is back by itself, subscribed, and says so."""
    broker = own.mqtt()
    settings, payloads = settings_for(mqtt=broker), numbered(500)
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        for line in lines:
            machine.deliver(f"production/{line}/data", expected(lines, payloads[:250])[line])
    async with Log(settings) as log:
        await log.holds(1_000, *lines)
        broker.stop()
        bridge.wait_for("bridge.again", 2)
        broker.start()
        bridge.listening(2)
        with Machine(settings) as machine:
            for line in lines:
                machine.deliver(f"production/{line}/data", expected(lines, payloads[250:])[line])
        records = await log.holds(2_000, *lines)
    found = {line: first_times(got) for line, got in by_line(records).items()}
    assert found == expected(lines, payloads)
    assert bridge.terminate() == 0


async def test_a_flood_at_qos_0_is_bounded(
    own: OwnServers, services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """20 MB at QoS 0 while Kafka is away: the bridge stops reading, its memory stays bounded, it goes on."""
    kafka, broker = own.kafka(), own.mqtt()
    settings, line = settings_for(kafka=kafka, mqtt=broker, mqtt_receive_maximum=30), lines[0]
    with Machine(settings) as machine:
        bridge = start(settings, begin=subprocess.Popen).listening()  # its memory is its own
        machine.deliver(f"production/{line}/data", [b"first"])
        async with Log(settings) as log:
            await log.holds(1, line)
        before = bridge.peak_bytes()
        away(kafka, services)
        machine.deliver(f"production/{line}/data", [b"x" * 1024] * 20_000, qos=0)
        wait_until(lambda: bridge.metric("linepulse_mqtt_in_flight") == 61, "the bound")
        machine.deliver(f"production/{line}/data", [b"last"])
        assert bridge.metric("linepulse_mqtt_in_flight") == 61
        assert bridge.peak_bytes() - before < 8 << 20
        back(kafka, services)
        async with Log(settings) as log:
            await log.holds(3, line)
            assert {headers(r).kind for r in log.of(line)} == {Kind.DATA}


async def test_a_refused_record_stays_with_the_broker(
    services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Kafka refuses a batch: the bridge does not acknowledge it, says why, and retries until it succeeds."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka takes records of any size")
    settings, line = settings_for(), lines[0]
    bridge = start(settings).listening()
    await set_largest_record(settings, 10_000)
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", [b"small", b"x" * 20_000, b"behind"])
    bridge.wait_for("bridge.again", 2)
    assert "MessageSizeTooLarge" in bridge.last_facts("bridge.again")["why"]
    wait_until(lambda: bridge.metric("linepulse_mqtt_in_flight") == 0, "nothing in flight between two runs")
    await set_largest_record(settings, 1 << 20)
    async with Log(settings) as log:
        records = await log.holds(3, line)
    assert first_times([record.value for record in records]) == [b"small", b"x" * 20_000, b"behind"]


async def test_it_ends_in_time_although_kafka_is_away(
    own: OwnServers, services: Services, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """The broker keeps what Kafka refuses: the bridge ends, and the next one writes it."""
    kafka = own.kafka()
    settings, line = settings_for(kafka=kafka), lines[0]
    bridge = start(settings).listening()
    away(kafka, services)
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", numbered(10))
        wait_until(lambda: bridge.metric("linepulse_mqtt_in_flight") == 10, "the messages")
    assert bridge.terminate() == 0
    back(kafka, services)
    start(settings).listening()
    async with Log(settings) as log:
        records = await log.holds(10, line)
    assert first_times([record.value for record in records]) == numbered(10)


@pytest.mark.parametrize("silent", ["MQTT", "Kafka"])
def test_it_ends_in_time_although_a_server_never_answered(
    settings_for: SettingsFor, start: Bridges, silent: str
) -> None:
    """A server accepts the connection and never answers: SIGTERM ends the bridge all the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        if silent == "MQTT":
            settings = settings_for(mqtt_broker_url=f"mqtt://{where}")
        else:
            settings = settings_for().model_copy(update={"kafka_bootstrap_servers": where})
        bridge = start(settings)
        connected, _ = server.accept()
        with connected:
            connected.recv(1)
            if silent == "MQTT":  # its watch may be the first to connect
                bridge.wait_for("bridge.connecting")
            assert bridge.terminate() == 0
    assert bridge.errors() == ""


def test_it_ends_in_time_although_its_broker_has_no_name(settings_for: SettingsFor, start: Bridges) -> None:
    """The name server does not answer: the thread that asks it can't be stopped, and is not waited for."""
    settings = settings_for(mqtt_broker_url=f"mqtt://{NAME}")
    bridge = start(settings, "tests.bridge.no_name_server").wait_for("bridge.connecting")
    assert bridge.terminate() == 0
    assert bridge.errors() == ""


async def set_largest_record(settings: Settings, size: int) -> None:
    """Have Kafka refuse larger batches of the log."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    config = {"max.message.bytes": str(size)}
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, settings.topics.raw, config)])
    finally:
        await admin.close()


def away(kafka: AnyServer, services: Services) -> None:
    if services.kind == "embedded":
        kafka.freeze()
    else:
        kafka.kill()


def back(kafka: AnyServer, services: Services) -> None:
    if services.kind == "embedded":
        kafka.thaw()
    else:
        kafka.start()
