"""The role without a browser: its health, and what it needs."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from linepulse.embedded.ports import free_port
from tests.dashboard.page import Dashboard
from tests.dashboard.rows import Plant, now_ms
from tests.eventually import wait_until
from tests.services import OwnServers, Services


def get(url: str) -> tuple[int, str]:
    """Status and text of an answer; (0, "") without one."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_ready_follows_postgresql_and_alive_does_not(services: Services, own: OwnServers, tmp_path: Path):
    """/readyz says what is wrong while PostgreSQL is away; /healthz and /metrics go on."""
    server = own.postgres()
    plant = Plant(services.migrated_database(server))
    plant.data("ligne1", now_ms())
    port = free_port(None)
    with Dashboard(plant.url, tmp_path / "run", http_port=port):
        health = f"http://127.0.0.1:{port}"
        wait_until(lambda: get(f"{health}/readyz") == (200, "ok"), "readiness")
        server.stop()
        wait_until(lambda: get(f"{health}/readyz")[0] == 503, "the role to see that PostgreSQL is away")
        assert get(f"{health}/readyz")[1].startswith("PostgreSQL: ")
        assert get(f"{health}/healthz") == (200, "ok")
        assert "linepulse_page_failures_total" in get(f"{health}/metrics")[1]
        server.start()
        wait_until(lambda: get(f"{health}/readyz") == (200, "ok"), "readiness again")


def test_a_busy_port_is_named():
    """The page does not silently take another port: people know its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "linepulse", "dashboard"],
            env={**os.environ, "LINEPULSE_DASHBOARD_PORT": port, "LINEPULSE_HTTP_PORT": "0"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"LINEPULSE_DASHBOARD_PORT: 127.0.0.1:{port}: ")


def test_nobody_is_sent_elsewhere(services: Services, tmp_path: Path):
    """The language switch leads back into the page, whatever address it is given."""
    with Dashboard(services.database(), tmp_path / "run") as dashboard:
        for back in ("https://example.org", "//example.org", "/%5Cexample.org", "javascript:1"):
            with urllib.request.urlopen(f"{dashboard.url}/lang/en?back={back}", timeout=10) as answer:
                assert answer.url == f"{dashboard.url}/"
