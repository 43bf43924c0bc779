"""Real servers for tests: Kafka, MQTT and PostgreSQL behind one interface. No mocks anywhere.

    async def test_a_message_becomes_a_row(services):
        settings = services.settings(mqtt_receive_maximum=40)   # own topics (made), database, client id
        ...
        services.kafka.kill(); services.kafka.start()           # same port; Kafka's data stays only if native

    def test_postgres_freezes(own):                             # servers of this test alone, stopped after it
        postgres = own.postgres()
        settings = own.settings(postgres=postgres)              # the other servers are the session's
        postgres.freeze(); postgres.thaw(); postgres.stop(); postgres.kill(); postgres.start()

`--services embedded|native|docker` or LINEPULSE_TEST_SERVICES chooses what they are (default: embedded).
`services.kind` tells which; `services.database()` gives the URL of a fresh empty database,
`services.migrated_database()` that of one with the schema, copied, which is four times faster;
`settings(topics=False)` makes no topics; `settings(database_url=...)` makes no database. Each server has
`url`, `port`, `pid`, `running`, `start()`, `stop()` (SIGTERM), `kill()` (SIGKILL), `freeze()`, `thaw()`.
The embedded Kafka forgets everything when it ends, embedded MQTT too; native servers keep their data.
"""

import asyncio
import threading
import uuid
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, Protocol

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from psycopg import sql

from linepulse.embedded.kafka import EmbeddedKafka
from linepulse.embedded.mqtt import EmbeddedMqtt
from linepulse.embedded.postgres import PostgresServer
from runtime.settings import Settings
from runtime.topics import create_topics, plan
from sinks.schema import migrate
from tests.services.native import Mosquitto, NativeKafka, native_postgres

Kind = Literal["embedded", "native", "docker"]


class AnyServer(Protocol):
    """What a server can do, of whatever kind it is."""

    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


class Services:
    """Three servers, each started when it is first asked for."""

    def __init__(self, kind: Kind, folder: Path, *, brief: bool = False) -> None:
        """`brief`: they start sooner, and are not the fastest."""
        self.kind = kind
        self._brief = brief
        self._folder = folder
        self._plant = folder / "plant.toml"
        self._plant.touch()  # empty: the built-in rules
        self._started: list[AnyServer] = []

    @cached_property
    def kafka(self) -> AnyServer:
        return self.new_kafka()

    @cached_property
    def mqtt(self) -> AnyServer:
        return self.new_mqtt()

    @cached_property
    def postgres(self) -> AnyServer:
        return self.new_postgres()

    @property
    def kafka_bootstrap_servers(self) -> str:
        return self.kafka.url

    @property
    def mqtt_broker_url(self) -> str:
        return self.mqtt.url

    @property
    def database_url(self) -> str:
        """A fresh, empty database at each access."""
        return self.database()

    def new_kafka(self) -> AnyServer:
        native = partial(NativeKafka, brief=self._brief)
        return self._start({"embedded": EmbeddedKafka, "native": native}, "kafka")

    def new_mqtt(self) -> AnyServer:
        return self._start({"embedded": EmbeddedMqtt, "native": Mosquitto}, "mqtt")

    def new_postgres(self) -> AnyServer:
        return self._start({"embedded": PostgresServer, "native": native_postgres}, "postgres")

    def _start(self, makers: dict[str, Any], name: str) -> AnyServer:
        if self.kind == "docker":
            from tests.services.docker import DockerServer  # noqa: PLC0415 - needs an engine

            server: AnyServer = DockerServer(name)
        else:
            server = makers[self.kind](self._folder / f"{name}-{uuid.uuid4().hex[:6]}")
        server.start()
        self._started.append(server)
        return server

    def database(self, server: AnyServer | None = None, template: str = "template1") -> str:
        """The URL of a new database; an empty one, unless it is a copy of another."""
        url = (server or self.postgres).url
        name = f"t_{uuid.uuid4().hex[:12]}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return f"{url.rpartition('/')[0]}/{name}"

    def migrated_database(self, server: AnyServer | None = None) -> str:
        """The URL of a new database with the schema in it; on the session's server it is copied."""
        if server is None:
            return self.database(template=self._migrated)
        url = self.database(server)
        migrate(url)
        return url

    @cached_property
    def _migrated(self) -> str:
        url = self.database()
        migrate(url)
        return url.rpartition("/")[2]

    def settings(
        self,
        *,
        kafka: AnyServer | None = None,
        mqtt: AnyServer | None = None,
        postgres: AnyServer | None = None,
        topics: bool = True,
        **overrides: Any,
    ) -> Settings:
        """Settings that share nothing with another test; their topics are made unless `topics=False`."""
        unique = uuid.uuid4().hex[:8]
        chosen: dict[str, Any] = {
            "mqtt_broker_url": (mqtt or self.mqtt).url,
            "kafka_bootstrap_servers": (kafka or self.kafka).url,
            "kafka_idempotence": self.kind != "embedded",
            "kafka_session_timeout_s": 6,
            "kafka_rebalance_timeout_s": 3,
            "topic_prefix": f"t{unique}",
            "mqtt_client_id": f"bridge-{unique}",
            "http_port": 0,
            "plant": self._plant,
            "partitions": 4,
            **overrides,
        }
        if "database_url" not in chosen:
            chosen["database_url"] = self.database(postgres)
        settings = Settings(_env_file=None, **chosen)
        if topics:
            _run(create_topics(settings))
            _run(_led(settings))
        return settings

    def stop(self) -> None:
        """End all of them."""
        for server in reversed(self._started):
            server.kill()
        self._started.clear()


class OwnServers:
    """Servers for one test to break. What it does not start itself is the session's."""

    def __init__(self, shared: Services, folder: Path) -> None:
        self._shared = shared
        self._mine = Services(shared.kind, folder, brief=True)

    def kafka(self) -> AnyServer:
        return self._mine.new_kafka()

    def mqtt(self) -> AnyServer:
        return self._mine.new_mqtt()

    def postgres(self) -> AnyServer:
        return self._mine.new_postgres()

    def settings(self, **overrides: Any) -> Settings:
        """As `services.settings`, with `kafka=`, `mqtt=` or `postgres=` a server of this test."""
        return self._shared.settings(**overrides)

    def stop(self) -> None:
        self._mine.stop()


async def _led(settings: Settings) -> None:
    """Wait until a broker leads every partition: for a moment after it has made a topic, it refuses reads.

    A role that starts in this moment logs that, and goes on; tests want nothing in its log.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        await consumer.end_offsets(
            [
                TopicPartition(topic.name, number)
                for topic in plan(settings)
                for number in range(topic.partitions)
            ]
        )
    finally:
        await consumer.stop()


def _run(work: Any) -> None:
    """Run a coroutine to its end, from a test that may itself be one."""
    failed: list[BaseException] = []

    def target() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
