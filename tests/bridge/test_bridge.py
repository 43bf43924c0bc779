"""What reaches the log, on real servers."""

import itertools
import os
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer

from bridge.record import OVERSIZE_KEPT_BYTES
from runtime.settings import Settings
from schemas.raw import Kind
from tests.bridge.conftest import Bridges
from tests.bridge.rig import Log, Machine, by_line, headers
from tests.eventually import eventually, wait_until
from tests.services import Services

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_every_byte_arrives_untouched_and_in_order(
    settings_for: SettingsFor, start: Bridges, lines: list[str], version: str
) -> None:
    """Text, nothing, random bytes: each line's payloads are in the log as they were sent."""
    settings = settings_for(mqtt_version=version)
    sent = {
        line: [b"", b'{"count": 1}', b"\xff\xfe\x00", "é🏭".encode()] + [os.urandom(n) for n in range(1, 300)]
        for line in lines
    }
    start(settings).listening()
    with Machine(settings) as machine:
        for line, payloads in sent.items():
            machine.deliver(f"production/{line}/data", payloads)
    async with Log(settings) as log:
        records = await log.holds(len({p for payloads in sent.values() for p in payloads}), *lines)
    assert by_line(records) == sent
    assert {(headers(r).kind, headers(r).qos, headers(r).client) for r in records} == {
        (Kind.DATA, 1, settings.mqtt_client_id)
    }
    in_order = sorted(records, key=lambda r: headers(r).seq)
    assert [headers(r).seq for r in in_order] == list(range(1, len(records) + 1))


async def test_each_kind_says_what_it_is(settings_for: SettingsFor, start: Bridges, lines: list[str]) -> None:
    """The last level of the topic is the kind, and the whole topic is kept."""
    settings, line = settings_for(), lines[0]
    start(settings).listening()
    with Machine(settings) as machine:
        for kind in ("data", "status", "order"):
            machine.deliver(f"production/{line}/{kind}", [kind.encode()])
    async with Log(settings) as log:
        records = await log.holds(3, line)
    assert [(headers(r).kind, headers(r).topic, r.value) for r in records] == [
        (kind, f"production/{line}/{kind}", kind.encode()) for kind in (Kind.DATA, Kind.STATUS, Kind.ORDER)
    ]


async def test_what_cannot_be_routed_is_kept(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """A line name with a space: kind `unroutable`, no key, its topic and bytes whole."""
    settings, topic = settings_for(), f"production/{lines[0]} à droite/data"
    start(settings).listening()
    with Machine(settings) as machine:
        machine.deliver(topic, [b"\x00\xff"])
    async with Log(settings) as log:

        async def there() -> bool:
            await log.read()
            return any(headers(r).topic == topic for r in log.of_kind(Kind.UNROUTABLE))

        await eventually(there, "the unroutable message in the log")
        found = [r for r in log.records if headers(r).topic == topic]
    assert [(r.key, r.value) for r in found] == [(None, b"\x00\xff")]


async def test_a_payload_over_the_limit_is_cut(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """1.5 MiB: cut, with its length; 900 KiB, the limit: whole; neighbours unharmed and in order."""
    settings, line = settings_for(), lines[0]
    at_limit, over = os.urandom(settings.max_payload_bytes), os.urandom(3 << 19)
    start(settings).listening()
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", [b"before", at_limit, over, b"after"])
    async with Log(settings) as log:
        records = await log.holds(4, line)
    assert [r.value for r in records] == [b"before", at_limit, over[:OVERSIZE_KEPT_BYTES], b"after"]
    assert [headers(r).kind for r in records] == [Kind.DATA, Kind.DATA, Kind.OVERSIZE, Kind.DATA]
    assert headers(records[2]).length == len(over)


async def test_a_retained_message_is_marked(
    own_settings: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """It is in the log, with `retain`, once: a reconnect does not bring it again (MQTT 5)."""
    settings, line = own_settings(), lines[0]
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/status", [b"stopped"], retain=True)
        bridge = start(settings).listening()
        async with Log(settings) as log:
            records = await log.holds(1, line)
            assert [headers(r).retain for r in records] == [True]
            assert bridge.metric("linepulse_mqtt_retained_total") == 1
            assert bridge.terminate() == 0
            start(settings).listening()
            machine.deliver(f"production/{line}/status", [b"running"], retain=True)
            records = await log.holds(2, line)
    assert [(r.value, headers(r).retain) for r in records] == [(b"stopped", True), (b"running", False)]


async def test_qos_0_is_served(
    settings_for: SettingsFor, start: Bridges, lines: list[str], services: Services
) -> None:
    """A message at QoS 0 is delivered and counted (the embedded broker delivers it at QoS 1)."""
    qos = 1 if services.kind == "embedded" else 0
    settings, line = settings_for(), lines[0]
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", [b"1", b"2"], qos=0)
        async with Log(settings) as log:
            records = await log.holds(2, line)
    assert [(r.value, headers(r).qos) for r in records] == [(b"1", qos), (b"2", qos)]
    assert bridge.metric("linepulse_mqtt_qos0_total") == (2 if qos == 0 else 0)


async def test_every_partition_hears_that_time_passes(settings_for: SettingsFor, start: Bridges) -> None:
    """A tick in each partition as soon as the bridge is connected: no key, no value; kind, run and client."""
    settings = settings_for()
    start(settings).listening()
    async with Log(settings) as log:

        async def everywhere() -> bool:
            await log.read()
            return {r.partition for r in log.of_kind(Kind.TICK)} == set(range(settings.partitions))

        await eventually(everywhere, "a tick in each partition")
        tick = log.of_kind(Kind.TICK)[0]
    headers = [name for name, _ in tick.headers]
    assert (tick.key, tick.value, headers) == (None, b"", ["kind", "run", "client"])


async def test_the_log_time_goes_on_from_its_tail(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """A log whose last record is a day ahead: time continues from there, never back, and it is reported."""
    settings, line = settings_for(), lines[0]
    ahead = int(time.time() * 1000) + 24 * 3_600_000
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(settings.topics.raw, b"", partition=2, timestamp_ms=ahead)
    finally:
        await producer.stop()
    bridge = start(settings).listening()
    assert 86_000 < bridge.last_facts("bridge.log_ahead")["seconds"] <= 86_400
    wait_until(lambda: bridge.metric("linepulse_log_ahead_seconds") > 86_000, "the gauge to tell")
    with Machine(settings) as machine:
        machine.deliver(f"production/{line}/data", [b"%d" % n for n in range(50)])
    async with Log(settings) as log:
        times = [record.timestamp for record in await log.holds(50, line)]
    assert times[0] >= ahead
    assert all(a <= b for a, b in itertools.pairwise(times))


async def test_what_waited_for_the_bridge_is_marked(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """The header `backlog` is on messages that waited before a reconnect, and on no others."""
    settings, line = settings_for(), lines[0]
    with Machine(settings) as machine:
        bridge = start(settings).listening()
        machine.deliver(f"production/{line}/data", [b"before"])
        async with Log(settings) as log:
            await log.holds(1, line)
            assert bridge.terminate() == 0
            machine.deliver(f"production/{line}/data", [b"waited %d" % n for n in range(1_000)])
            start(settings).wait_for("bridge.caught_up")
            await log.holds(1_001, line)
            machine.deliver(f"production/{line}/data", [b"after"])
            records = await log.holds(1_002, line)
    marked = {r.value: headers(r).backlog for r in records}
    assert not marked.pop(b"before")
    assert not marked.pop(b"after")
    assert all(marked.values())


def test_a_log_that_is_missing_is_refused(settings_for: SettingsFor, start: Bridges) -> None:
    """The bridge ends at once, and says which topic and what to do."""
    settings = settings_for(topics=False)
    bridge = start(settings)
    assert bridge.ended() == 2
    said = bridge.errors()
    assert f"topic {settings.topics.raw}" in said
    assert "run linepulse setup" in said


def test_another_number_of_partitions_is_refused(settings_for: SettingsFor, start: Bridges) -> None:
    """A line would change its partition, and lose its order: the bridge refuses to start."""
    settings = settings_for()
    bridge = start(settings.model_copy(update={"partitions": 5}))
    assert bridge.ended() == 2
    said = bridge.errors()
    assert settings.topics.raw in said
    assert "has 4 partitions, 5 expected" in said


def test_the_narrated_lines_are_the_guides(settings_for: SettingsFor, start: Bridges) -> None:
    """In this order; the broker's password is not logged."""
    settings = settings_for()
    bridge = start(settings).listening()
    assert [key for key in bridge.logged() if key != "bridge.received"][:8] == [
        "bridge.starting",
        "bridge.connecting",
        "bridge.connected",
        *["bridge.subscribed"] * 3,
        "bridge.started",
        "bridge.listening",
    ]
