"""The servers that every test may use; see `tests/services`."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from linepulse.embedded import ports
from tests.services import OwnServers, Services
from tests.services.native import archive_classes, fetch_kafka, missing

KINDS = ("embedded", "native", "docker")

# How long an example takes depends on the machine, and on what else it does: no test fails for that.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        choices=KINDS,
        default=os.environ.get("LINEPULSE_TEST_SERVICES", "embedded"),
        help="what the tests' Kafka, MQTT broker and PostgreSQL are",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--services") == "native":
        if wrong := missing():
            pytest.exit("native services need: " + ", ".join(wrong), returncode=3)
        if not hasattr(config, "workerinput"):  # once, not by each worker of pytest-xdist
            fetch_kafka()
            archive_classes()

    share_out_ports(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def share_out_ports(worker: int) -> None:
    """Of two processes that ask for a free port at the same time none shall get the other's."""
    each = (ports.HIGH - ports.LOW) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports.LOW += worker * each
    ports.HIGH = ports.LOW + each


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the servers of `--services`: all else is the same whatever they are."""
    for item in items:
        if isinstance(item, pytest.Function) and "services" in item.fixturenames:
            item.add_marker("servers")


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Kafka, MQTT and PostgreSQL, for the whole run."""
    folder = tmp_path_factory.mktemp("services")
    started = Services(request.config.getoption("--services"), folder, brief=True)
    yield started
    started.stop()


@pytest.fixture
def own(services: Services, tmp_path: Path) -> Iterator[OwnServers]:
    """Starts servers that belong to one test."""
    servers = OwnServers(services, tmp_path)
    yield servers
    servers.stop()
