"""Small campaigns on native servers, from the start of the plant to the verdict."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from chaos.campaign import Campaign, Options
from chaos.faults import FAULTS, Fault
from chaos.plan import draw_plan
from linepulse.embedded.server import children_of
from tests.commands import ROOT, alive, outside
from tests.eventually import wait_until
from tests.services import Services

SECONDS = 150


@pytest.fixture(autouse=True)
def _native(services: Services) -> None:
    if services.kind != "native":
        pytest.skip("a campaign runs on native servers")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "chaos", "--seconds", str(SECONDS), *arguments]


def environment(folder: Path) -> dict[str, str]:
    return {**outside(), "TMPDIR": str(folder)}


def mounts(folder: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]


def test_a_killed_role_and_a_new_worker_change_nothing(tmp_path: Path) -> None:
    """Exit code 0, the result as JSON, and nothing left behind."""
    result = tmp_path / "result.json"
    asked = command("--seed", "4", "--messages", "600", "--lines", "8", "--faults", "2")
    done = subprocess.run(
        [*asked, "--kinds", "kill,worker-added", "--rate", "60", "--json", str(result)],
        env=environment(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(result.read_text())
    assert report["right"]
    assert report["signals"] == 1
    assert report["recovery"]["all"]["longest_s"] <= 60
    assert set(report["peak_mib"]) == {"bridge", "streams", "sinks"}
    assert list(tmp_path.iterdir()) == [result]
    assert mounts(tmp_path) == []


def test_ctrl_c_ends_all_that_it_started(tmp_path: Path) -> None:
    """Servers, roles, publisher and proxy end; the folder is kept for inspection."""
    output = tmp_path / "output.txt"
    with output.open("wb") as out:
        campaign = subprocess.Popen(
            command("--faults", "1", "--kinds", "kill", "--messages", "100000"),
            env=environment(tmp_path),
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "publishing" in output.read_text(), "the campaign to publish", 90)
        started = children_of(campaign.pid)
        assert len(started) >= 10
        campaign.send_signal(signal.SIGINT)
        assert campaign.wait(30) == 1
        assert not [pid for pid in started if alive(pid)]
        assert mounts(tmp_path) == []
        assert "logs, ledger and tape: " in output.read_text()
    finally:
        if campaign.poll() is None:
            campaign.kill()
        campaign.wait()


STEAL = 'DELETE FROM "ProductionData" WHERE "id" = (SELECT "id" FROM "ProductionData" LIMIT 1)'


class Thief(Fault):
    """Takes a row out of PostgreSQL, which no fault may do."""

    kind = "thief"
    what = "a row is stolen"
    lasts: ClassVar[tuple[float, float]] = (0.0, 0.0)

    async def begin(self) -> None:
        url = self.plant.settings.database_url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            taken = 0
            while not taken:  # on a slow day there is none yet
                taken = (await connection.execute(STEAL)).rowcount
                await asyncio.sleep(0.1)


async def test_a_row_that_is_missing_fails_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The campaign can fail: one stolen row is found and named. It runs in any folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setitem(FAULTS, "thief", Thief)
    plan = draw_plan(1, 1, {"thief": Thief})
    options = Options(seed=1, messages=300, lines=6, seconds=SECONDS, rate=50)
    told: list[str] = []
    report = await Campaign(options, plan, tmp_path, told.append).run()
    assert not report.right
    assert report.verdict is not None
    assert report.verdict.lost.count == 1, report.text()
    assert report.verdict.missing["ProductionData"].count == 1
    sentence = "a rebuild changes 0, adds 1 and removes 0 rows of ProductionData"
    assert sum(sentence in failure for failure in report.failures) == 1, report.text()
