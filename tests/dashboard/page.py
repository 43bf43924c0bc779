"""The dashboard as its own process, and a browser to look at it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from playwright.async_api import Page, async_playwright

from tests.dashboard.clock import Clock
from tests.eventually import wait_until
from tests.processes import start

ROOT = Path(__file__).parents[2]
RUN = """
import asyncio
import sys
from datetime import timedelta

from dashboard.role import run
from runtime.settings import Settings

ahead = timedelta(seconds=float(sys.argv[1]))
asyncio.run(run(Settings.read(), ahead))
"""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
)


class Dashboard:
    """The role in a folder of its own, from `with` to its end; without a clock, by this computer's."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        lang: str = "fr",
        port: int = 0,
        http_port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._database_url = database_url
        self.folder = folder
        self._lang = lang
        self._port = port
        self._http_port = http_port
        self._ahead = timedelta() if clock is None else clock.ahead
        self._log = folder / "log"
        self.url = ""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "DATABASE_URL": self._database_url,
            "LINEPULSE_DASHBOARD_PORT": str(self._port),
            "LINEPULSE_HTTP_PORT": str(self._http_port),
            "LINEPULSE_LANG": self._lang,
            "PYTHONPATH": str(ROOT),
        }
        with self._log.open("wb") as log:
            self.process = start(
                [sys.executable, "-W", "error", "-c", RUN, str(self._ahead.total_seconds())],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.url = wait_until(self._address, "the page's address")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """Its output so far."""
        return self._log.read_text("utf-8")

    def end(self) -> int:
        """SIGTERM, and how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def _address(self) -> str:
        assert self.process.poll() is None, self.log
        found = re.search(r"http://\S+", self.log)
        return found[0] if found else ""


def chromium() -> str | None:
    """The system's browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@asynccontextmanager
async def browser_page(kind: str, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """An empty tab. Without a browser the test is skipped, but not where services are native, as in CI."""
    executable = chromium()
    if executable is None and kind == "native":
        pytest.fail("the browser tests need chromium (apt-get install chromium)")
    if executable is None:
        pytest.skip("no chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=QUIET)
        page = await browser.new_page(viewport={"width": width, "height": height})
        yield page
        await browser.close()
