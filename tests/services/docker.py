"""Containers, where an engine answers; elsewhere the tests that ask for them are skipped."""

import gc
import warnings

import docker
import pytest
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from linepulse.embedded.ports import answers, free_port
from tests.eventually import wait_until

INNER = {"kafka": 9092, "mqtt": 1883, "postgres": 5432}
MOSQUITTO = r"""printf 'listener 1883\nallow_anonymous true\npersistence true\nmax_queued_messages 0\n\
max_inflight_messages 1000\nqueue_qos0_messages true\n' > /tmp/m.conf && exec mosquitto -c /tmp/m.conf"""


def skip_without_engine() -> None:
    """Skip the test unless a container engine answers."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # its client leaves a socket
        try:
            docker.from_env().ping()
            return
        except DockerException as error:
            why = str(error)
        gc.collect()
    pytest.skip(f"no container engine: {why}")


class DockerServer:
    """One container with the interface of the other servers."""

    def __init__(self, name: str) -> None:
        skip_without_engine()
        self.port = free_port()
        self._name = name
        self._container = _container(name, self.port)

    @property
    def url(self) -> str:
        forms = {"kafka": "{}", "mqtt": "mqtt://{}", "postgres": "postgresql://postgres@{}/postgres"}
        return forms[self._name].format(f"127.0.0.1:{self.port}")

    def start(self) -> None:
        if self._container.get_wrapped_container() is None:
            self._container.start()
        else:
            self._container.get_wrapped_container().start()
        wait_until(lambda: answers(self.port), f"{self._name} in its container", 90)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def freeze(self) -> None:
        self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        self._container.get_wrapped_container().unpause()


def _container(name: str, port: int) -> DockerContainer:
    images = {
        "kafka": "apache/kafka:4.1.0",
        "mqtt": "eclipse-mosquitto:2.0",
        "postgres": "postgres:17",
    }
    container = DockerContainer(images[name]).with_bind_ports(INNER[name], port)
    if name == "mqtt":
        return container.with_command(["sh", "-c", MOSQUITTO])
    if name == "postgres":
        return container.with_env("POSTGRES_HOST_AUTH_METHOD", "trust")
    return container.with_envs(
        KAFKA_NODE_ID="1",
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
        KAFKA_LISTENERS="PLAINTEXT://:9092,CONTROLLER://:9093",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://127.0.0.1:{port}",
        KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
    )
