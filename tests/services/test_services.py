"""The servers of the tests do what tests lean on."""

import asyncio
import os
import subprocess
import sys

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.commands import ROOT
from tests.services import OwnServers, Services

pytestmark = pytest.mark.both


async def test_kafka_gives_back_what_was_sent(services: Services) -> None:
    """A record comes back with its bytes, from a topic that is this test's alone."""
    settings = services.settings()
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
    )
    consumer = AIOKafkaConsumer(
        settings.topics.raw,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await producer.start()
    await consumer.start()
    await producer.send_and_wait(settings.topics.raw, b"hello", key=b"ligne1")
    record = await asyncio.wait_for(consumer.getone(), 20)
    assert (record.key, record.value) == (b"ligne1", b"hello")
    await consumer.stop()
    await producer.stop()


@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_mqtt_speaks_both_versions_on_one_port(services: Services, version: MQTTProtocolVersion) -> None:
    """A client of MQTT 3.1.1 and one of MQTT 5 get their PUBACK at the same URL."""
    settings = services.settings(topics=False, database_url="postgresql://none/none")
    client = Client(CallbackAPIVersion.VERSION2, protocol=version)
    client.connect(str(settings.mqtt.hostname), settings.mqtt.port or 1883)
    client.loop_start()
    sent = client.publish("production/ligne1/data", b"x" * 1_500_000, qos=1)
    sent.wait_for_publish(20)
    assert sent.is_published()
    client.disconnect()
    client.loop_stop()


def test_each_settings_has_its_own_database(services: Services) -> None:
    """What a test writes to PostgreSQL is seen by no other test."""
    one, two = services.database(), services.database()
    with psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE mine (id int)")
    with psycopg.connect(two) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM mine")


def test_a_killed_postgres_comes_back_with_its_data(own: OwnServers, services: Services) -> None:
    """SIGKILL, then start: the same port, and what was committed."""
    server = own.postgres()
    url = services.database(server)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT * FROM kept")


def test_a_frozen_server_answers_after_it_thaws(own: OwnServers) -> None:
    """A frozen PostgreSQL keeps its port and says nothing."""
    server = own.postgres()
    server.freeze()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url, connect_timeout=2)
    server.thaw()
    psycopg.connect(server.url, connect_timeout=10).close()


def test_missing_native_servers_end_the_run() -> None:
    """What to install is named, and nothing is skipped."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--services", "native", "tests/test_imports.py"],
        env={**os.environ, "PATH": "/nowhere"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 3
    assert "java (apt-get install default-jre-headless)" in run.stdout + run.stderr
    assert "passed" not in run.stdout
