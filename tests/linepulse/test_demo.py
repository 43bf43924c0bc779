"""`linepulse demo`: a live plant with a history, on a machine with nothing installed."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from linepulse.embedded.server import children_of
from tests.commands import ROOT, Running, alive, outside, running
from tests.eventually import wait_until

pytestmark = pytest.mark.slow

ADDRESSES = ["DASHBOARD_URL", "MQTT_BROKER_URL", "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder to start a demo from."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def start(elsewhere: Path, tmp_path: Path, *arguments: str) -> Any:
    return running(outside(), tmp_path / "output", "demo", *arguments, cwd=elsewhere)


@pytest.fixture
def demo(elsewhere: Path, tmp_path: Path) -> Iterator[Running]:
    """A demo of two lines, ready."""
    with start(elsewhere, tmp_path, "--lines", "2") as command:
        command.says("Prêt", seconds=120)
        yield command
    for log in sorted((elsewhere / ".linepulse/demo").glob("*.log")):  # seen where the test fails
        print(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-1500:]}")


def addresses(demo: Running) -> dict[str, str]:
    return dict(line.split("=", 1) for line in demo.output.splitlines())


def count(url: str, line: str = "%") -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute('SELECT count(*) FROM "ProductionData" WHERE "lineId" LIKE %s', [line])
        return int((found.fetchone() or [0])[0])


def test_a_plant_runs_and_ends_without_a_trace(demo: Running, elsewhere: Path) -> None:
    """Addresses one NAME=value a line, a past, new rows, the page; Ctrl-C ends every process, and there is
    no file but in its own folder."""
    found = addresses(demo)
    assert list(found) == ADDRESSES
    hours, lines, every_s = 8, 2, 5
    past = hours * 3600 // every_s * lines
    told = count(found["DATABASE_URL"])
    assert told > past * 0.95, "it says that it is ready before its past is told"
    wait_until(lambda: count(found["DATABASE_URL"]) > told, "new rows")
    with urllib.request.urlopen(found["DASHBOARD_URL"], timeout=10) as page:
        assert page.status == 200
    processes = children_of(demo.process.pid)
    assert len(processes) > 8
    assert demo.end(signal.SIGINT, seconds=15) == 0
    assert not any(alive(pid) for pid in processes)
    assert [entry.name for entry in elsewhere.iterdir()] == [".linepulse"]


def test_your_own_machines(elsewhere: Path, tmp_path: Path) -> None:
    """`--lines 0` simulates nothing: the only messages are those of test-mqtt.py."""
    with start(elsewhere, tmp_path, "--lines", "0") as demo:
        demo.says("Prêt", seconds=120)
        found = addresses(demo)
        sent = subprocess.run(
            [sys.executable, str(ROOT / "test-mqtt.py"), "--test"],
            env={**os.environ, "MQTT_BROKER_URL": found["MQTT_BROKER_URL"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert sent.returncode == 0, sent.stdout + sent.stderr
        wait_until(lambda: count(found["DATABASE_URL"]) == 3, "three rows")
        assert count(found["DATABASE_URL"], "ligne1") == 3
        assert demo.end(signal.SIGTERM, seconds=15) == 0


def test_killing_it_leaves_no_process(demo: Running) -> None:
    """SIGKILL, which it can't answer: servers, roles and simulator end all the same."""
    processes = children_of(demo.process.pid)
    demo.end(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in processes), "their end", 15)
