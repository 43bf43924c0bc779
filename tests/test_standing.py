"""The whole plant, and one of its roles frozen at a time: nothing that stands still looks alive."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.async_api import Page, expect

from linepulse.embedded.ports import free_port
from tests.commands import Running, linepulse
from tests.dashboard.page import browser_page
from tests.dashboard.test_page import GREEN, nothing_green
from tests.services import OwnServers, Services
from tests.whole_plant import Plant

ROLES = ("bridge", "streams", "sinks", "dashboard")
SOON_S = 45.0


@pytest.fixture
def plant(services: Services, own: OwnServers, tmp_path: Path) -> Iterator[Plant]:
    """Set up, with an MQTT broker that keeps nothing for others."""
    rules = "[line]\nsilence_s = 8\n"
    plant = Plant(services, tmp_path, rules, mqtt=own.mqtt(), dashboard_port=free_port())
    yield plant
    plant.close()


class Machine(threading.Thread):
    """Makes two pieces a second."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(daemon=True)
        self._ending = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        url = plant.settings.mqtt
        self._client.connect(url.hostname or "", url.port or 1883)
        self._client.loop_start()

    def run(self) -> None:
        payload = json.dumps({"count": 1, "rate": 120, "targetRate": 120, "running": True})
        while not self._ending.wait(0.5):
            self._client.publish("production/ligne1/data", payload, qos=1)

    def end(self) -> None:
        self._ending.set()
        self.join()
        self._client.loop_stop()


async def runs(page: Page) -> None:
    state = page.locator("[data-line=ligne1] .state")
    await expect(state).to_be_visible(timeout=60_000)
    await expect(state).to_have_text("En marche", timeout=60_000)
    assert await page.evaluate(GREEN) != []


async def test_a_frozen_role_is_seen_on_the_page_and_named_by_the_doctor(
    services: Services, plant: Plant
) -> None:
    """Whichever it is: nothing green after 45 s, and exit 1. Thawed, all is well without anybody's help."""
    roles: dict[str, Running] = {name: plant.role(name) for name in ROLES}
    machine = Machine(plant)
    machine.start()
    url = f"http://127.0.0.1:{plant.settings.dashboard_port}"
    roles["dashboard"].says(url)
    async with browser_page(services.kind) as page:
        await page.goto(url)
        await runs(page)
        well = linepulse(plant.env, "doctor")
        assert (well.returncode, well.stderr) == (0, ""), well.stdout
        for name in ROLES:
            os.kill(roles[name].process.pid, signal.SIGSTOP)
            told, _ = await asyncio.gather(
                asyncio.to_thread(linepulse, plant.env, "doctor"), nothing_green(page, SOON_S)
            )
            os.kill(roles[name].process.pid, signal.SIGCONT)
            assert told.returncode == 1
            wrong = {line.split()[1] for line in told.stdout.splitlines() if line.startswith("❌")}
            assert wrong & set(ROLES) == {name}, told.stdout
            await runs(page)
    machine.end()
