"""`linepulse run`: all roles as one service, whatever happens to one of them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Running, alive, environment, running
from tests.eventually import wait_until
from tests.services import Services
from tests.streams.raw import RawLog

ROLES = {"bridge", "streams", "sinks", "dashboard"}


@pytest.fixture
def plant(services: Services, tmp_path: Path) -> Iterator[Running]:
    """A `linepulse run` whose roles have all been started."""
    settings = services.settings(topics=False, dashboard_port=0)
    with running(environment(settings), tmp_path / "run", "run") as command:
        command.says("En écoute des messages MQTT")
        wait_until(lambda: set(command.children()) == ROLES, "all roles")
        yield command


def test_a_killed_role_is_started_again(plant: Running) -> None:
    """SIGKILL to the bridge: `run` reports it, and another one listens soon."""
    killed = plant.children()["bridge"]
    os.kill(killed, signal.SIGKILL)
    plant.says("bridge s'est arrêté (code -9)")
    wait_until(lambda: plant.children().get("bridge", killed) != killed, "a new bridge")
    wait_until(lambda: plant.output.count("En écoute des messages MQTT") == 2, "its subscription")


def test_a_frozen_role_is_replaced(plant: Running) -> None:
    """SIGSTOP for ever: it does not answer on /healthz and is killed, another one works; the others go on."""
    plant.says("Calcul des lignes démarré")
    before = plant.children()
    os.kill(before["streams"], signal.SIGSTOP)
    plant.says("streams n'est plus vivant (/healthz: ", 90)
    plant.says("streams s'est arrêté (code -9)")
    wait_until(lambda: plant.output.count("Calcul des lignes démarré") == 2, "a new worker")
    after = plant.children()
    assert not alive(before["streams"])
    assert {role for role in ROLES if after[role] != before[role]} == {"streams"}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_cleanly_with_all_its_roles(plant: Running, signum: int) -> None:
    """Exit 0 within 10 s, and no role is left, a frozen one included."""
    roles = plant.children()
    os.kill(roles["sinks"], signal.SIGSTOP)
    assert plant.end(signum, seconds=10) == 0
    assert not any(alive(pid) for pid in roles.values())


def test_killing_it_leaves_no_role(plant: Running) -> None:
    """Even SIGKILL, which it can't answer, ends its roles."""
    roles = plant.children()
    plant.end(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in roles.values()), "the roles' end", 10)


async def test_newer_rules_are_taken_up_by_the_same_process(services: Services, tmp_path: Path) -> None:
    """No process died, health is on the same port, and the worker still ends with `run`."""
    settings = services.settings(topics=False, dashboard_port=0)
    with running(environment(settings), tmp_path / "run", "run") as command:
        command.says("Calcul des lignes démarré")
        before = command.children()
        async with RawLog(settings) as log:
            await log.rules(generation=2)
        command.says("Calcul des lignes démarré (règles, génération 2)")
        wait_until(lambda: set(command.children()) == ROLES, "all roles")
        assert command.children() == before
        assert "s'est arrêté" not in command.output
        command.end(signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in before.values()), "the roles' end", 10)
