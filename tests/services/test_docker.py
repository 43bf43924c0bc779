"""The same servers in containers, where an engine answers."""

import pytest

from tests.services import Services, docker
from tests.services.test_services import test_kafka_gives_back_what_was_sent as sends_and_reads


@pytest.mark.docker
async def test_containers_serve_as_the_others_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Kafka, MQTT and PostgreSQL in containers answer behind the same interface."""
    docker.skip_without_engine()
    services = Services("docker", tmp_path_factory.mktemp("docker"))
    try:
        await sends_and_reads(services)
    finally:
        services.stop()
