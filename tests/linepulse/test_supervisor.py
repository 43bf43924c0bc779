"""Roles kept up by `linepulse run`, where the machine does not let it."""

import asyncio
import io
import os
import sys
from typing import Any

import pytest

import linepulse.supervisor
from linepulse.embedded.server import start_child
from linepulse.supervisor import Child, supervise
from runtime.narrator import Narrator
from tests.eventually import eventually

ASLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


async def test_a_role_that_cannot_be_started_now_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is left on the machine, say: told, and tried again; who runs goes on."""
    starts = 0
    real = start_child

    def start(command: list[str], *how: Any, **which: Any) -> object:
        nonlocal starts
        starts += 1
        if starts == 2:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real(command, *how, **which)

    monkeypatch.setattr(linepulse.supervisor, "start_child", start)
    monkeypatch.setattr(linepulse.supervisor, "LONGEST_DELAY_S", 0.2)
    said = io.StringIO()
    children = [Child(name, ASLEEP, dict(os.environ)) for name in ("bridge", "streams")]
    stop = asyncio.Event()
    supervising = asyncio.create_task(supervise(children, Narrator("en", out=said), stop))

    async def all_run() -> bool:
        assert not supervising.done(), supervising
        return all(child.process is not None for child in children)

    await eventually(all_run, "both", 10)
    stop.set()
    await supervising
    assert said.getvalue().count("could not be started ([Errno 11]") == 1
    assert starts == 3
