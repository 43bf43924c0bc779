"""A rebuilt generation goes live while the plant runs: nothing is lost or doubled at the seam."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from rebuild.takeover import take_over
from runtime.narrator import Narrator
from sinks.sums import summed
from tests.commands import COMMAND_S, LINEPULSE, ROOT, Running, environment, linepulse, running
from tests.eventually import wait_until
from tests.processes import run, start
from tests.rebuild.compared import differences
from tests.rebuild.small import rebuild
from tests.services import Services

LINES = 5
SAME = "[line.order]\nquantity = 300\n"
CHANGED = '[line]\nwindow_s = 30\nperformance_from = "pieces"\n[line.order]\nquantity = 90\n'
STEPS = ("seeding", "seeded", "moved", "swapped", "recorded")


class Plant:
    """All roles, with two stream workers, and machines that send all the time."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.folder = folder
        self.rules = folder / "plant.toml"
        self.rules.write_text(SAME)
        self.settings = services.settings(topics=False, plant=self.rules)
        self.env = environment(self.settings)
        self._stack = ExitStack()
        self._machines: list[subprocess.Popen[str]] = []
        done = linepulse(self.env, "setup")
        assert done.returncode == 0, done.stderr
        self.roles = {name: self.start(name) for name in ("bridge", "streams", "streams-2", "sinks")}
        self.roles["bridge"].says("📡 En écoute")

    def start(self, name: str) -> Running:
        """Start a role."""
        folder = self.folder / f"{name}-{len(os.listdir(self.folder))}"
        return self._stack.enter_context(running(self.env, folder, name.partition("-")[0]))

    def start_machines(self, rate: float = 15.0) -> None:
        """Machines begin to send, `rate` messages a second each."""
        command = [*LINEPULSE, "simulate", "--lines", str(LINES), "--rate", str(rate), "--seconds", "600"]
        machines = start(command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._stack.callback(machines.wait)
        self._stack.callback(machines.kill)
        self._machines.append(machines)

    def stop_machines(self) -> int:
        """Machines stop sending; returns how many data messages they sent."""
        sent = 0
        for machines in self._machines:
            machines.send_signal(signal.SIGTERM)
            out, _ = machines.communicate(timeout=60)
            sent += sum(line["messages"] for line in json.loads(out)["lines"].values())
        return sent

    def number(self, query: str) -> int:
        """The only number of the only row."""
        with psycopg.connect(self.settings.database_url) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0] or 0)

    def stored(self) -> int:
        """Rows of messages."""
        return self.number('SELECT count(*) FROM "ProductionData"')

    def goes_on(self, by: int = 200) -> None:
        """Wait until so many more messages are rows."""
        wanted = self.stored() + by
        wait_until(lambda: self.stored() >= wanted, f"{wanted} rows", 120)

    def wrong_sums(self) -> int:
        """Hours whose sums are not those of their windows."""
        query = sql.SQL("""WITH made AS ({}), wrong AS (
            (SELECT * FROM made EXCEPT SELECT * FROM "KPISum")
            UNION ALL (SELECT * FROM "KPISum" EXCEPT SELECT * FROM made)
        ) SELECT count(*) FROM wrong""")
        return self.number(query.format(summed("KPISnapshot")).as_string())

    def taken_over(self, generation: int) -> None:
        """Wait until workers of a generation have written: orders were changed by messages after its swap."""
        query = f"""SELECT count(*) FROM "ProductionOrder" o JOIN "Generation" g USING (generation)
            WHERE generation = {generation} AND live AND o."updatedAt" > g."createdAt" """
        wait_until(lambda: self.number(query) > 0, f"generation {generation} at work", 120)

    def take_over(self, plant: str, fatal: str = "") -> "subprocess.CompletedProcess[str]":
        """Rebuild and take over, in a process of its own."""
        file = self.folder / "next.toml"
        file.write_text(plant)
        command = [sys.executable, "-m", "tests.rebuild.taker", str(file), fatal]
        return run(command, env=self.env, cwd=ROOT, seconds=COMMAND_S)

    async def check(self, plant: str, generation: int) -> None:
        """Wait until all is applied: each message counts once, and every row equals that of the pure fold."""
        sent = self.stop_machines()
        wait_until(lambda: self.stored() >= sent, f"{sent} rows", 180)
        assert self.roles["bridge"].end() == 0
        assert await differences(self.settings, self.folder, plant, generation) == {}
        assert self.stored() == sent
        assert self.wrong_sums() == 0
        assert self.number('SELECT generation FROM "Generation" WHERE live') == generation

    def close(self) -> None:
        """End everything."""
        self._stack.close()


@pytest.fixture
def plant(services: Services, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(services, tmp_path)
    yield plant
    plant.close()


@pytest.mark.parametrize("rules", [SAME, CHANGED], ids=["same", "changed"])
async def test_nothing_is_lost_or_doubled_at_the_seam(plant: Plant, rules: str) -> None:
    """Messages go on all the while; the workers are the same processes before and after."""
    plant.start_machines()
    plant.goes_on()
    rebuilt = await rebuild(plant.settings, rules)
    plant.goes_on(100)  # what comes between E and the swap
    await take_over(plant.settings, rebuilt, Narrator("en"))
    plant.taken_over(2)
    plant.goes_on()
    await plant.check(rules, 2)
    ended = {name: role for name, role in plant.roles.items() if role.process.poll() is not None}
    assert list(ended) == ["bridge"], [(name, role.output, role.errors) for name, role in ended.items()]


async def test_the_command_takes_over_while_the_plant_runs(plant: Plant) -> None:
    """`linepulse rebuild --plant`, as people run it."""
    plant.start_machines()
    plant.goes_on()
    file = plant.folder / "next.toml"
    file.write_text(CHANGED)
    done = linepulse(plant.env, "rebuild", "--plant", str(file), seconds=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "La génération 2 est en service" in done.stdout
    plant.taken_over(2)
    plant.goes_on()
    await plant.check(CHANGED, 2)


@pytest.mark.parametrize("fatal", STEPS)
async def test_killed_at_any_step_one_generation_is_whole_and_the_next_rebuild_goes_live(
    plant: Plant, fatal: str
) -> None:
    """SIGKILL before the swap: the old one is live. After it: the new one, once setup has recorded it."""
    plant.start_machines()
    plant.goes_on()
    assert plant.take_over(CHANGED, fatal).returncode == -signal.SIGKILL
    live = plant.number('SELECT generation FROM "Generation" WHERE live')
    assert live == (2 if fatal in ("swapped", "recorded") else 1)
    assert plant.number(f'SELECT count(*) FROM "ProductionOrder" WHERE generation <> {live}') == 0
    if fatal == "swapped":
        assert linepulse(plant.env, "setup").returncode == 0
    plant.taken_over(live)
    done = plant.take_over(SAME)
    assert done.returncode == 0, done.stdout + done.stderr
    plant.taken_over(live + 1)
    await plant.check(SAME, live + 1)


async def test_workers_and_sinks_killed_in_the_switch_change_no_number(plant: Plant) -> None:
    """A worker dies as it learns of the new rules, the sinks at the swap; others take their place."""
    plant.start_machines()
    plant.goes_on()
    rebuilt = await rebuild(plant.settings, CHANGED)

    def step(name: str) -> None:
        if name == "moved":  # they wait for the swap, in the middle of a transaction
            plant.roles["sinks"].process.kill()
        if name == "recorded":
            plant.roles["streams"].process.kill()

    await asyncio.to_thread(lambda: asyncio.run(take_over(plant.settings, rebuilt, Narrator("en"), step)))
    plant.roles["streams"], plant.roles["sinks"] = plant.start("streams"), plant.start("sinks")
    plant.roles["streams-2"].says("repart avec elles")
    plant.roles["streams-2"].process.kill()
    plant.taken_over(2)
    plant.goes_on()
    await plant.check(CHANGED, 2)
