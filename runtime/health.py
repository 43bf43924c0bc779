"""`/healthz`, `/readyz` and `/metrics` of a role, on a port of its own."""

from collections.abc import Callable
from typing import Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from runtime.narrator import Narrator

PORTS = {"bridge": 9101, "streams": 9102, "sinks": 9103, "dashboard": 9104}


class Health:
    """Serves a role's health while an `async with` block lasts.

    `alive` and `ready` return None, or the sentence that says what is wrong. A role that is still starting
    is alive but not ready; it replaces `ready` once it can answer.
    """

    def __init__(
        self,
        narrator: Narrator,
        role: str,
        host: str,
        port: int | None,
        ready: Callable[[], str | None] = lambda: "starting",
        alive: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._narrator = narrator
        self._role = role
        self._host = host
        self._port = port
        self.alive = alive
        self.ready = ready
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen. If the default port is busy, a free one is taken, and the log says which.

        Raises:
            OSError: the port that the settings name is busy.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        wanted = PORTS[self._role] if self._port is None else self._port
        try:
            await self._listen(wanted)
        except OSError:
            if self._port is not None:
                raise
            await self._listen(0)
            self._narrator.say("health.other_port", role=self._role, wanted=wanted, port=self.port)
        return self

    async def _listen(self, port: int) -> None:
        assert self._runner is not None
        await web.TCPSite(self._runner, self._host, port).start()
        self.port = self._runner.addresses[0][1]

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return _answer(self.alive())

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _answer(self.ready())

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _answer(wrong: str | None) -> web.Response:
    return web.Response(text=wrong or "ok", status=503 if wrong else 200)
