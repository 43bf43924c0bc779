"""`docker-compose.yml`: each of our services runs as it says, against real servers of the same names."""

import re
import signal
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml

from linepulse.embedded.ports import free_port
from tests.commands import ROOT, VARIABLES, environment, linepulse, running
from tests.eventually import wait_until
from tests.services import OwnServers

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
SERVERS = {name: service for name, service in COMPOSE["services"].items() if "build" not in service}


def dotenv() -> dict[str, str]:
    """What `.env.example` sets."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(text: str) -> str:
    """The text with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` replaced, as compose does it."""

    def value(match: "re.Match[str]") -> str:
        name, default = match[1], match[2]
        assert name in dotenv() or (default or "").startswith(":-"), f"{name} is set nowhere"
        return dotenv().get(name) or str(default)[2:]

    return re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", value, text)


def on_these_servers(service: dict[str, Any], own: dict[str, str], ports: dict[str, str]) -> dict[str, str]:
    """A service's environment, its host names replaced by the addresses of our servers."""
    env = {name: filled_in(str(value)) for name, value in service["environment"].items()}
    for name, address in own.items():
        env = {variable: value.replace(name, address) for variable, value in env.items()}
    left = [value for value in env.values() if re.search(r"\b(mosquitto|kafka|postgres):\d", value)]
    assert not left, "a host name that no server has"
    return {**env, **{name: port for name, port in ports.items() if name in env}}


def is_ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def test_every_service_of_ours_runs_as_it_says(own: OwnServers, tmp_path: Path) -> None:
    """Setup ends with 0; each role becomes ready on its health port, and ends cleanly on SIGTERM."""
    kafka, mqtt, postgres = own.kafka(), own.mqtt(), own.postgres()
    servers = {
        "mosquitto:1883": mqtt.url.rpartition("/")[2],
        "kafka:9092": kafka.url,
        "postgres:5432": postgres.url.partition("@")[2].partition("/")[0],
    }
    # Real servers need nothing beside what the file says; the embedded ones need these.
    settings = own.settings(kafka=kafka, mqtt=mqtt, topics=False, database_url=postgres.url)
    base = {
        name: value
        for name, value in environment(settings).items()
        if name.startswith("LINEPULSE_KAFKA_") or not name.startswith(VARIABLES)
    }
    done = linepulse({**base, **on_these_servers(OURS["setup"], servers, {})}, *OURS["setup"]["command"])
    assert done.returncode == 0, done.stderr
    for name in OURS.keys() - {"setup"}:
        ports = {"LINEPULSE_HTTP_PORT": str(free_port()), "LINEPULSE_DASHBOARD_PORT": str(free_port())}
        env = {**base, **on_these_servers(OURS[name], servers, ports)}
        with running(env, tmp_path / name, *OURS[name]["command"]) as role:
            wait_until(partial(is_ready, ports["LINEPULSE_HTTP_PORT"]), f"{name} ready", 40)
            assert role.end(signal.SIGTERM, seconds=10) == 0, role.errors


def test_our_services_are_all_there() -> None:
    """Setup once, and every role."""
    assert set(OURS) == {"setup", "bridge", "streams", "sinks", "dashboard"}
    assert {name: service["command"] for name, service in OURS.items()} == {name: [name] for name in OURS}
    assert OURS["setup"]["restart"] == "on-failure"


def test_streams_can_be_scaled() -> None:
    """Nothing in it prevents a second instance."""
    assert not {"container_name", "ports", "hostname"} & OURS["streams"].keys()


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"setup"}))
def test_roles_wait_for_setup_and_show_their_health(name: str) -> None:
    """Started after setup, checked for health, restarted, given time to end."""
    service = OURS[name]
    assert service["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
    assert (
        f"127.0.0.1:{service['environment']['LINEPULSE_HTTP_PORT']}/healthz"
        in service["healthcheck"]["test"][-1]
    )
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].rstrip("s")) > 10


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_log_grows_without_end(name: str) -> None:
    """The engine keeps a few files of limited size."""
    assert COMPOSE["services"][name]["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize("name", SERVERS)
def test_servers_keep_their_data(name: str) -> None:
    """Each has a named volume, a health check, and is started again."""
    service = SERVERS[name]
    assert any(str(volume).partition(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]


def test_the_broker_holds_what_machines_send_while_the_bridge_is_away() -> None:
    """The mounted configuration queues without bounds and keeps the queue on disk."""
    lines = (ROOT / "deploy/mosquitto.conf").read_text("utf-8").splitlines()
    assert {"max_queued_messages 0", "persistence true", "queue_qos0_messages true"} <= set(lines)
    assert "max_inflight_messages 1000" in lines
    assert any("./deploy/mosquitto.conf:" in volume for volume in SERVERS["mosquitto"]["volumes"])
