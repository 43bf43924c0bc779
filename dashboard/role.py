"""The dashboard role: the page, its reader and its health, from start to SIGTERM."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from dashboard.board import Board
from dashboard.store import Store
from runtime.health import Health
from runtime.narrator import Narrator
from runtime.settings import Settings, SettingsError

SHUTDOWN_S = 2  # open pages hold their connections; they reconnect by themselves
STORAGE = Path(".linepulse") / "nicegui"  # the page stores nothing; if NiceGUI ever does, it is here


async def run(settings: Settings, ahead: timedelta = timedelta()) -> None:
    """Serve the page until SIGTERM or Ctrl-C; its clock is PostgreSQL's plus `ahead`.

    Raises:
        SettingsError: the page's port can't be bound.
    """
    narrator = Narrator(settings.lang, settings.log, "dashboard")
    listening = _listen(settings.dashboard_host, settings.dashboard_port)
    board = Board(Store(settings.database_url), ahead, narrator.say)
    server = _Server(
        uvicorn.Config(
            _app(board, settings),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
            ws="websockets-sansio",
        )
    )
    async with Health(narrator, "dashboard", settings.http_host, settings.http_port, board.wrong):
        host = settings.dashboard_host if settings.dashboard_host not in ("0.0.0.0", "::") else "localhost"
        narrator.say("page.listening", url=f"http://{host}:{listening.getsockname()[1]}")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.end)
        reading = asyncio.create_task(board.keep())
        reading.add_done_callback(lambda _: server.end())  # without its reader the page would be stale
        try:
            await server.serve([listening])
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading


class _Server(uvicorn.Server):
    """A server that leaves signals to the role."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def end(self) -> None:
        """Close the listening socket and the connections, then return from `serve`."""
        self.should_exit = True


def _app(board: Board, settings: Settings) -> FastAPI:
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(STORAGE))
    from nicegui import ui  # noqa: PLC0415 - reads the environment when imported

    from dashboard.page import build  # noqa: PLC0415

    app = FastAPI(openapi_url=None)
    build(app, board, settings.lang, settings.mqtt_broker_url)
    favicon = (Path(__file__).parent / "assets" / "favicon.svg").read_text("utf-8")
    ui.run_with(
        app,
        title="linepulse",
        favicon=favicon,
        tailwind=False,
        binding_refresh_interval=None,
        show_welcome_message=False,
    )
    return app


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)  # from here on connections wait rather than being refused
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"LINEPULSE_DASHBOARD_PORT: {host}:{port}: {error.strerror}; choose another, 0 for a free one"
        ) from None
    return listening
