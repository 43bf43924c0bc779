"""`linepulse run`: setup, then all roles as child processes: the small-plant deployment."""

import asyncio
import os
import signal

from linepulse.commands.setup import install
from linepulse.supervisor import Child, Setup, linepulse, supervise
from runtime.health import PORTS
from runtime.narrator import Narrator, quiet_libraries
from runtime.settings import Settings

ROLES = ("bridge", "streams", "sinks", "dashboard")


def run() -> None:
    """Setup, then every role; each is started again when it dies or hangs. Ctrl-C ends all.

    Example: MQTT_BROKER_URL=mqtt://localhost:1883 linepulse run
    """
    settings = Settings.read()
    quiet_libraries()
    narrator = Narrator(settings.lang, settings.log, "run")
    install(settings, narrator)
    # One port can't serve four roles: each has its own.
    env = {name: value for name, value in os.environ.items() if name != "LINEPULSE_HTTP_PORT"}
    children = [
        Child(role, linepulse(role), env, port=PORTS[role], host=settings.http_host) for role in ROLES
    ]
    asyncio.run(until_asked(children, narrator, Setup(linepulse("setup"), env)))
    narrator.say("run.ended")


async def until_asked(children: list[Child], narrator: Narrator, setup: Setup) -> None:
    """Supervise until Ctrl-C, SIGTERM, or the terminal closes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await supervise(children, narrator, stop, setup)
