"""The links between roles and servers, which all lead through the proxy."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from linepulse.embedded.ports import free_port
from tests.commands import with_repository


class Links:
    """The proxy process, and the port of each link."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self.ports: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "chaos.proxy"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=with_repository(os.environ),
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()  # the proxy ends with its input, also when we die
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def add(self, name: str, to: int, listen: int | None = None) -> int:
        """Add a link to a local port; return the port to connect to."""
        self.ports[name] = listen or free_port()
        await self._send({"link": name, "listen": self.ports[name], "to": to})
        return self.ports[name]

    async def become(self, name: str, mode: str, after: int = 0) -> None:
        """Change how a link behaves (see `chaos.proxy.MODES`)."""
        await self._send({"link": name, "mode": mode, "after": after})

    async def _send(self, command: dict[str, Any]) -> None:
        process = self._process
        assert process is not None, "the proxy is not running"
        assert process.stdin is not None
        assert process.stdout is not None
        async with self._lock:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            answer = await asyncio.wait_for(process.stdout.readline(), 20)
        if answer.strip() != b"ok":
            raise RuntimeError(f"the proxy failed at {command}: see {self._log}")
