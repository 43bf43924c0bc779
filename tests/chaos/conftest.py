"""A pipeline that ran without any fault, its servers still up: the judge must find it right."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from chaos.ledger import Ledger
from chaos.settled import delivered, settled, ticked
from chaos.tape import Tape
from runtime.settings import Settings
from tests.commands import environment, linepulse, running, with_repository
from tests.services import Services

MESSAGES = 5000
# Small, so that within seconds many orders begin and end, lines fall silent, and every alert is raised.
RULES = """
[line]
silence_s = 1
window_s = 10
[line.order]
quantity = 300
[line.alerts]
low_rate_delay_s = 0.05
high_temperature_delay_s = 0.05
rate_mismatch_s = 10
"""


@dataclass
class Calm:
    """The result of a run without faults."""

    settings: Settings
    ledger: Ledger
    tape: Tape


@pytest.fixture(scope="package")
def calm(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Messages of every kind were sent and applied; the roles have ended."""
    if services.kind == "embedded":
        pytest.skip("the campaign runs on Apache Kafka, Mosquitto and PostgreSQL")
    folder = tmp_path_factory.mktemp("calm")
    rules = folder / "plant.toml"
    rules.write_text(RULES)
    settings = services.settings(topics=False, plant=rules)
    done = linepulse(environment(settings), "setup")
    assert done.returncode == 0, done.stderr
    return asyncio.run(_run(settings, folder))


async def _run(settings: Settings, folder: Path) -> Calm:
    env, path = environment(settings), folder / "ledger"
    async with Tape(settings, folder / "tape") as tape:
        with ExitStack() as roles:
            bridge = roles.enter_context(running(env, folder / "bridge", "bridge"))
            await asyncio.to_thread(bridge.says, "📡 En écoute")
            for role in ("streams", "sinks"):
                roles.enter_context(running(env, folder / role, role))
            command = [sys.executable, "-m", "chaos.publisher", "--url", settings.mqtt_broker_url]
            command += ["--ledger", str(path), "--seed", "7", "--messages", str(MESSAGES), "--lines", "6"]
            await asyncio.to_thread(
                subprocess.run,
                [*command, "--rate", "400", "--clock-scenarios"],
                env=with_repository(os.environ),
                stdout=subprocess.DEVNULL,
                timeout=120,
                check=True,
            )
            ledger = Ledger.read(path)
            await delivered(ledger, tape, 60)
            await ticked(tape, 60)
            await asyncio.to_thread(bridge.end)
            await settled(settings, tape, 90)
    return Calm(settings, ledger, tape)
