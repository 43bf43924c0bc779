"""Starts the bridges of a test and ends them with it; names of lines that no other test uses."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.bridge.rig import BridgeProcess
from tests.services import OwnServers, Services

Bridges = Callable[..., BridgeProcess]
NO_DATABASE = "postgresql://none/none"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Bridges]:
    """Starts a bridge, or a module that runs one."""
    started: list[BridgeProcess] = []

    def new(settings: Settings, *module: Any, **how: Any) -> BridgeProcess:
        started.append(BridgeProcess(settings, tmp_path, *module, **how))
        return started[-1]

    yield new
    for bridge in started:
        if bridge.running():
            bridge.kill()


@pytest.fixture
def settings_for(services: Services) -> Callable[..., Settings]:
    """Settings of a bridge at the session's servers, or at those given."""

    def made(**overrides: Any) -> Settings:
        # The embedded broker numbers anew what it sends again.
        window = 40 if services.kind == "embedded" else 500
        defaults: dict[str, Any] = {
            "database_url": NO_DATABASE,
            "http_port": free_port(),
            "mqtt_receive_maximum": window,
            "mqtt_packet_ids": 0 if services.kind == "embedded" else 65_535,
        }
        return services.settings(**(defaults | overrides))

    return made


@pytest.fixture
def own_settings(own: OwnServers, settings_for: Callable[..., Settings]) -> Callable[..., Settings]:
    """The same at an MQTT broker that only this test uses."""
    return lambda **overrides: settings_for(mqtt=own.mqtt(), **overrides)


@pytest.fixture
def lines() -> list[str]:
    """Four lines that no other test uses."""
    unique = uuid.uuid4().hex[:6]
    return [f"ligne{number}-{unique}" for number in range(1, 5)]
