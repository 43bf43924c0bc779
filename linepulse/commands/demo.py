"""`linepulse demo`: a whole plant on this machine, with nothing installed."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import aiohttp
import psycopg
import typer

from linepulse.commands.run import ROLES
from linepulse.commands.setup import install
from linepulse.embedded.folder import take_folder
from linepulse.embedded.ports import free_port
from linepulse.embedded.server import ServerError
from linepulse.embedded.stack import STANDARD_PORTS, EmbeddedStack
from linepulse.supervisor import Child, linepulse, supervise
from runtime.errors import UserError
from runtime.health import PORTS
from runtime.narrator import Narrator, quiet_libraries
from runtime.settings import Settings
from runtime.sql import statement

PAGE_PORT = 8080
HISTORY = "8h"
ASK_EVERY_S = 0.1
HISTORY_PATIENCE_S = 30.0


def demo(
    lines: Annotated[int, typer.Option(min=0, max=100, help="Simulated lines; 0: your own machines.")] = 3,
    folder: Annotated[Path, typer.Option(help="Where everything is kept; emptied at each start.")] = Path(
        ".linepulse/demo"
    ),
) -> None:
    """Kafka, MQTT broker, PostgreSQL, all roles, simulated lines and the page, on this machine.

    Prints where they are, one NAME=value a line. Ctrl-C ends all of it; each start begins anew.

    Example: linepulse demo --lines 3
    """
    quiet_libraries()
    with take_folder(folder):
        stack = EmbeddedStack(folder)
        try:
            stack.start()
            os.environ.update(stack.environment)
            settings = Settings.read()
            narrator = Narrator(settings.lang, settings.log, "demo", out=sys.stderr)
            install(settings, narrator)
            asyncio.run(Demo(stack, folder.resolve(), lines, narrator).run())
        except ServerError as error:
            raise UserError(str(error)) from None
        finally:
            stack.stop()
    narrator.say("run.ended")


class Demo:
    """The roles and the simulator on a running stack."""

    def __init__(self, stack: EmbeddedStack, folder: Path, lines: int, narrator: Narrator) -> None:
        self._stack = stack
        self._folder = folder
        self._lines = lines
        self._narrator = narrator
        self._page_port = free_port(PAGE_PORT)
        self._children = [self._child(role, linepulse(role), port=PORTS[role]) for role in ROLES]

    async def run(self) -> None:
        """Start all, print the addresses when all are ready, go on until Ctrl-C."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        announcing = asyncio.create_task(self._announce_when_ready())
        try:
            await supervise(self._children, self._narrator, stop)
        finally:
            announcing.cancel()

    async def _announce_when_ready(self) -> None:
        self._narrator.say("demo.starting", folder=self._folder)
        async with aiohttp.ClientSession() as session:
            for child in list(self._children):
                await until_ready(session, child)
        if self._lines:
            command = linepulse("simulate", "--lines", str(self._lines), "--history", HISTORY)
            self._children.append(self._child("simulator", command, once=True))
            await until_history_sent(self._lines)
        print(f"DASHBOARD_URL=http://127.0.0.1:{self._page_port}")
        for name, value in self._stack.addresses.items():
            print(f"{name}={value}")
        sys.stdout.flush()
        if self._stack.mqtt.port != STANDARD_PORTS["mqtt"]:
            self._narrator.say("demo.other_port", url=self._stack.mqtt.url)
        self._narrator.say("demo.ready", folder=self._folder)

    def _child(self, name: str, command: list[str], *, port: int | None = None, once: bool = False) -> Child:
        env = {
            **os.environ,
            "LINEPULSE_DASHBOARD_PORT": str(self._page_port),
            "NICEGUI_STORAGE_PATH": str(self._folder / "page"),
        }
        log = self._folder / f"{name}.log"
        # The servers end with us, so it has nothing that it could end in order.
        return Child(
            name,
            command,
            env,
            log,
            once=once,
            orphan_signal=signal.SIGKILL,
            port=port,
            host=Settings.read().http_host,
        )


async def until_history_sent(lines: int) -> None:
    """Wait until the simulated lines have sent their history, for HISTORY_PATIENCE_S at most.

    A message with the present time would make the rest of that line's history late.
    """
    async with await psycopg.AsyncConnection.connect(
        Settings.read().database_url, autocommit=True
    ) as connection:
        for _ in range(round(HISTORY_PATIENCE_S / ASK_EVERY_S)):
            row = await (await connection.execute(statement("doctor.lines_at_present"))).fetchone()
            if row is not None and row[0] >= lines:
                return
            await asyncio.sleep(ASK_EVERY_S)


async def until_ready(session: aiohttp.ClientSession, child: Child) -> None:
    """Wait until a role says that it is ready."""
    while True:
        try:
            async with session.get(f"http://127.0.0.1:{child.port}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass  # not up yet
        await asyncio.sleep(ASK_EVERY_S)
