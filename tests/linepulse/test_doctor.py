"""`linepulse doctor` reports every failure. Each failure here is a real one."""

import asyncio
import socket
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from runtime.topics import admin, partitions_of, plan
from schemas.instant import HOUR
from tests.commands import environment, linepulse
from tests.eventually import eventually
from tests.services import OwnServers, Services
from tests.streams.raw import RawLog


@pytest.fixture
def installed(services: Services, own: OwnServers, tmp_path: Path) -> Settings:
    """An installation in order. Its MQTT broker keeps nothing for the sessions of other tests."""
    plant = tmp_path / "plant.toml"
    plant.write_text("[line]\ntarget_rate = 100\n")
    settings = services.settings(topics=False, plant=plant, mqtt=own.mqtt())
    assert linepulse(environment(settings), "setup").returncode == 0
    return settings


def complaints(settings: Settings, **overrides: str) -> str:
    """What the doctor finds wrong; it must find all other parts right."""
    told = linepulse(environment(settings, **overrides), "doctor")
    assert told.stderr == ""
    assert told.returncode == 1
    lines = told.stdout.splitlines()
    assert any(line.startswith("✅") for line in lines)
    return "\n".join(line for line in lines if not line.startswith("✅"))


def test_a_sound_installation_is_all_right(installed: Settings) -> None:
    """Exit 0, a line for each part."""
    told = linepulse(environment(installed), "doctor")
    assert (told.returncode, told.stderr) == (0, "")
    assert all(line.startswith("✅") for line in told.stdout.splitlines())
    assert len(told.stdout.splitlines()) == 12
    assert "roles: none has run yet" in told.stdout


def test_no_mqtt_broker(installed: Settings) -> None:
    """The variable, the address, and that there is no answer."""
    wrong = complaints(installed, MQTT_BROKER_URL=f"mqtt://127.0.0.1:{free_port()}")
    assert "no MQTT broker answers" in wrong


def test_no_kafka(installed: Settings) -> None:
    """The other parts are checked all the same."""
    wrong = complaints(installed, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}")
    assert "no Kafka answers" in wrong


def test_no_postgres(installed: Settings) -> None:
    """The address, and to start it."""
    url = f"postgresql://postgres:secret@127.0.0.1:{free_port()}/dashboard_kpi"
    wrong = complaints(installed, DATABASE_URL=url)
    assert "start PostgreSQL" in wrong
    assert "secret" not in wrong


def test_a_database_without_tables(installed: Settings, services: Services) -> None:
    """`setup` corrects it, and the doctor advises it."""
    wrong = complaints(installed, DATABASE_URL=services.database())
    assert "run linepulse setup" in wrong


def test_missing_topics_and_other_partitions(installed: Settings) -> None:
    """A topic that is gone is named; so is one that has another number of partitions."""

    async def break_topics() -> None:
        async with admin(installed) as client:
            await client.delete_topics([installed.topics.alerts, installed.topics.kpis])
            await client.create_topics([NewTopic(installed.topics.kpis, 2, 1)])
            names = [installed.topics.alerts, installed.topics.kpis]

            async def shown() -> bool:
                return await partitions_of(client, names) == {installed.topics.kpis: 2}

            await eventually(shown, "the topics as they are")  # the broker answers before it shows them

    asyncio.run(break_topics())
    wrong = complaints(installed)
    assert f"no topic {installed.topics.alerts}" in wrong
    assert f"topic {installed.topics.kpis} has 2 partitions, 4 expected" in wrong


def test_topics_that_would_lose_or_refuse_messages(installed: Settings, services: Services) -> None:
    """Each with the command that corrects it. The retention is the owner's choice."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka does not tell how a topic is set")

    async def alter(topic: str, key: str, value: str) -> None:
        made = next(each.config for each in plan(installed) if each.name == topic)
        async with admin(installed) as client:
            config = {**made, key: value}
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])

    topics = installed.topics
    asyncio.run(alter(topics.kpis, "retention.ms", "60000"))
    asyncio.run(alter(topics.samples, "cleanup.policy", "compact"))
    wrong = complaints(installed)
    assert topics.kpis not in wrong
    assert f"topic {topics.samples} has cleanup.policy=compact, delete is needed" in wrong
    wrong = complaints(installed, LINEPULSE_MAX_PAYLOAD_BYTES="4000000")
    assert f"--entity-name {topics.raw} --add-config max.message.bytes=4131072" in wrong


def test_a_plant_file_that_is_wrong(installed: Settings) -> None:
    """The key is named, and the line."""
    installed.plant.write_text("[line]\nsilence_s = 'long'\n")
    assert "silence_s" in complaints(installed)
    installed.plant.write_text(
        '[[lines.ligne1.shift]]\nname = "A"\nstart = 06:00:00\nend = 14:00:00\n'
        '[[lines.ligne1.shift]]\nname = "B"\nstart = 13:00:00\nend = 20:00:00\n'
    )
    assert "lines.ligne1.shift: shift B overlaps shift A on mon" in complaints(installed)


def test_a_plant_file_that_differs_from_the_rules_in_force(installed: Settings) -> None:
    """Its rules are not applied, and the doctor says so."""
    installed.plant.write_text("[line]\ntarget_rate = 200\n")
    assert "is not applied" in complaints(installed)


def test_a_log_without_rules(installed: Settings, services: Services) -> None:
    """Topics were made anew, the database was not: setup writes its rules back."""
    bare = services.settings(
        database_url=installed.database_url,
        plant=installed.plant,
        mqtt_broker_url=installed.mqtt_broker_url,
    )
    assert "run linepulse setup" in complaints(bare)
    assert linepulse(environment(bare), "setup").returncode == 0
    assert linepulse(environment(bare), "doctor").returncode == 0


def test_sinks_that_have_applied_all(installed: Settings) -> None:
    """No event waits, so none of an older release does."""
    with psycopg.connect(installed.database_url) as connection:
        connection.execute(
            'INSERT INTO "SinkCursor" ("topic", "partition", "nextOffset") VALUES (%s, 0, 0)',
            [installed.topics.samples],
        )
    told = linepulse(environment(installed), "doctor")
    assert (told.returncode, told.stderr) == (0, "")


def test_a_log_that_was_made_anew(installed: Settings) -> None:
    """PostgreSQL has applied more than the log holds."""
    with psycopg.connect(installed.database_url) as connection:
        connection.execute(
            'INSERT INTO "SinkCursor" ("topic", "partition", "nextOffset") VALUES (%s, 0, 7)',
            [installed.topics.samples],
        )
    assert f"{installed.topics.samples}[0] ends at 0, PostgreSQL has applied 7" in complaints(installed)


def test_records_that_were_lost(installed: Settings) -> None:
    """For a week; after that only the dead letters show it."""
    insert = """INSERT INTO "DeadLetter" ("id", "lineId", "line", "topic", "partition", "offset", "payload",
            "reason", "detail", "receivedAt")
        VALUES (gen_random_uuid(), '', '', 'production.raw', 0, 100, '', 'expired', '', now() - %s)"""
    with psycopg.connect(installed.database_url) as connection:
        connection.execute(insert, [timedelta(days=8)])
    assert linepulse(environment(installed), "doctor").returncode == 0
    with psycopg.connect(installed.database_url) as connection:
        connection.execute(insert, [timedelta(days=1)])
    assert "1 dead letters of the last 7 days" in complaints(installed)


def test_a_record_on_which_linepulse_itself_failed_is_a_finding(installed: Settings) -> None:
    """What to do about a defect of linepulse, and that no message is lost by it."""
    with psycopg.connect(installed.database_url) as connection:
        connection.execute(
            """INSERT INTO "DeadLetter" ("id", "lineId", "line", "topic", "partition", "offset", "payload",
                "reason", "detail", "receivedAt")
            VALUES (gen_random_uuid(), 'a', 'Ligne A', 'production.raw', 0, 7, '', 'internal', '', now())"""
        )
    wrong = complaints(installed)
    assert "1 dead letters of the last 7 days (internal)" in wrong
    assert "Ligne A" in wrong
    assert "linepulse rebuild applies them" in wrong


def test_a_page_that_does_not_answer(installed: Settings) -> None:
    """Its port accepts connections, as that of a frozen process does, and does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        port = str(frozen.getsockname()[1])
        wrong = complaints(installed, LINEPULSE_DASHBOARD_PORT=port)
    assert wrong.startswith(f"❌ dashboard http://127.0.0.1:{port}")
    assert "it is frozen; start it again" in wrong
    told = linepulse(environment(installed, LINEPULSE_DASHBOARD_PORT=port), "doctor")
    assert f"✅ dashboard http://127.0.0.1:{port}: does not run here" in told.stdout


async def test_roles_that_have_ended(installed: Settings) -> None:
    """The log's last record is an hour old: nothing is written or read, and the doctor does not wait."""
    async with RawLog(installed) as log:
        await log.tick(time.time_ns() // 1_000_000 - 2 * HOUR)
    wrong = await asyncio.to_thread(complaints, installed)
    assert "❌ bridge\n   nothing new in the raw log, its latest record is 2 h old" in wrong
    assert f"❌ streams\n   reads nothing, {installed.partitions} records behind the bridge" in wrong
    assert "❌ sinks\n   have never run; 0 events behind the streams, no row yet" in wrong
