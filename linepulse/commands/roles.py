"""`linepulse bridge`, `streams`, `sinks`, `dashboard`: one role in the foreground, until SIGTERM."""

import asyncio
from importlib import import_module

import uvloop

from plant.rules import plant_text, read_plant
from runtime.loop_watchdog import LoopWatchdog
from runtime.narrator import Narrator, quiet_libraries
from runtime.settings import Settings


def bridge() -> None:
    """MQTT to Kafka: puts what machines send on the durable log.

    Example: MQTT_BROKER_URL=mqtt://broker:1883 linepulse bridge
    """
    run_role("bridge")


def streams() -> None:
    """Applies the plant's rules to the log: orders, stops, alerts, KPIs.

    Example: linepulse streams (a second one on the same plant shares the work)
    """
    run_role("streams")


def sinks() -> None:
    """Kafka to PostgreSQL: writes what the rules gave.

    Example: DATABASE_URL=postgresql://postgres@db/dashboard_kpi linepulse sinks
    """
    run_role("sinks")


def dashboard() -> None:
    """The page.

    Example: LINEPULSE_DASHBOARD_PORT=8081 linepulse dashboard
    """
    run_role("dashboard")


def run_role(name: str) -> None:
    """Run a role's coroutine until it ends; a loop that hangs ends the process.

    Raises:
        PlantError: the plant file is wrong; also for a role that does not need it, so that the error is
            noticed.
    """
    settings = Settings.read()
    read_plant(plant_text(settings.plant), str(settings.plant))
    quiet_libraries()
    role = import_module(f"{name}.role")  # only what this role needs
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        watchdog = LoopWatchdog(runner.get_loop(), Narrator(settings.lang, settings.log, name))
        watchdog.start()
        runner.run(role.run(settings))
        watchdog.stop()
