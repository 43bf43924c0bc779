"""The log is deleted and made anew while a bridge runs: it detects and reports it, and goes on."""

from collections.abc import Callable

import pytest
from aiokafka import ConsumerRecord

from runtime.settings import Settings
from runtime.topics import admin, create_topics
from tests.bridge.conftest import Bridges
from tests.bridge.rig import BridgeProcess, Log, Machine, by_line, first_times, headers
from tests.eventually import eventually, wait_until
from tests.services import Services

SettingsFor = Callable[..., Settings]


@pytest.fixture(autouse=True)
def real_kafka(services: Services) -> None:
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka forgets everything whenever it ends")


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%06d" % number for number in range(start, start + count)]


async def delete_log(settings: Settings) -> None:
    """Delete it, and wait until Kafka has."""
    raw = settings.topics.raw
    async with admin(settings) as client:
        await client.delete_topics([raw])

        async def gone() -> bool:
            return raw not in await client.list_topics()

        await eventually(gone, "the log to be deleted")


async def make_log(settings: Settings) -> None:
    """Make the log as `setup` does, as soon as Kafka allows it."""

    async def made() -> bool:
        return settings.topics.raw in await create_topics(settings)

    await eventually(made, "the log to be made")


async def first_life(settings: Settings, bridge: BridgeProcess, machine: Machine, line: str) -> int:
    """Write some records to the old log; return its last time."""
    machine.deliver(f"production/{line}/data", numbered(500))
    async with Log(settings) as log:
        records = await log.holds(500, line)
    wait_until(lambda: bridge.metric("linepulse_mqtt_acked_total") == 500, "all acknowledged")
    return max(record.timestamp for record in records)


def right(records: list[ConsumerRecord], line: str, payloads: list[bytes], after_ms: int) -> None:
    """All are there, each once, in order, no earlier than the old log's end, in later runs than its own."""
    assert by_line(records) == {line: payloads}
    assert min(record.timestamp for record in records) >= after_ms


async def test_made_anew_at_once(settings_for: SettingsFor, start: Bridges, lines: list[str]) -> None:
    """The producer goes on as if nothing had happened; the bridge detects it by the offsets."""
    settings, line = settings_for(), lines[0]
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        end = await first_life(settings, bridge, machine, line)
        await delete_log(settings)
        await make_log(settings)
        bridge.wait_for("bridge.log_anew").listening(2)
        machine.deliver(f"production/{line}/data", numbered(500, 500))
        async with Log(settings) as log:
            await log.holds(500, line)
            await log.settled()
            right(log.of(line), line, numbered(500, 500), end)
            assert bridge.last_facts("bridge.log_anew")["run"] == 2
            assert max(headers(record).run for record in log.records) == 2
    assert bridge.metric("linepulse_log_anew_total") == 1
    assert bridge.terminate() == 0


async def test_what_is_not_acknowledged_when_the_log_goes_is_written_to_the_next(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Messages wait while there is no log; that is reported; then all are there."""
    settings, line = settings_for(), lines[0]
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        end = await first_life(settings, bridge, machine, line)
        await delete_log(settings)
        machine.deliver(f"production/{line}/data", numbered(3_000, 500))
        bridge.wait_for("bridge.again")
        assert f"no topic {settings.topics.raw}" in bridge.last_facts("bridge.again")["why"]
        await make_log(settings)
        bridge.wait_for("bridge.log_anew")
        async with Log(settings) as log:
            await log.holds(3_000, line)
            await log.settled()
            right(log.of(line), line, numbered(3_000, 500), end)
            assert min(headers(record).run for record in log.records) >= 2
    assert bridge.terminate() == 0


async def test_under_load_only_what_the_old_log_had_goes_with_it(
    settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Deleted and made anew in mid-stream: of each line the new log holds everything from some message on,
    and what is missing had been acknowledged."""
    settings, payloads = settings_for(), numbered(4_000)
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        for payload in payloads:
            for line in lines:
                machine.publish(f"production/{line}/data", [payload])
        wait_until(lambda: bridge.metric("linepulse_mqtt_acked_total") > 1_000, "the load")
        await delete_log(settings)
        # Answers that were under way when the log went are acknowledgements, too.
        acknowledged = bridge.settled("linepulse_mqtt_acked_total")
        await make_log(settings)
        bridge.wait_for("bridge.log_anew")
        async with Log(settings) as log:

            async def all_ends() -> bool:
                await log.read()
                found = by_line(log.of(*lines))
                return all(payloads[-1] in found.get(line, []) for line in lines)

            await eventually(all_ends, "the last message of each line", 60)
            await log.settled()
            found = {line: first_times(got) for line, got in by_line(log.of(*lines)).items()}
    wait_until(lambda: bridge.metric("linepulse_mqtt_in_flight") == 0, "all acknowledged")
    missing = 0
    for got in found.values():
        # What only the old log held comes again, behind what was under way to the new one.
        assert sorted(got) == payloads[-len(got) :]
        missing += len(payloads) - len(got)
    assert 0 < missing <= acknowledged
    assert bridge.terminate() == 0
