"""The plant that a campaign breaks: servers, links, and the roles between them."""

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from chaos.disk import Disk, SmallPostgres
from chaos.links import Links
from chaos.roles import Roles
from chaos.tape import Tape
from linepulse.embedded.ports import free_port
from linepulse.embedded.server import Server
from linepulse.supervisor import linepulse
from runtime.settings import Settings
from tests.commands import environment, with_repository
from tests.services.native import Mosquitto, NativeKafka

ROLES = ("bridge", "streams", "sinks")
LINKS = ("bridge-mqtt", "bridge-kafka", "streams-kafka", "sinks-kafka", "sinks-postgres")
SESSION_S, REBALANCE_S = 6, 3
WORKERS = {"bridge": 1, "streams": 2, "sinks": 2}
SERVER_S = 150.0  # for a server to start: a slow start of Kafka on a busy machine is no failure of the roles
DISK_MIB = 512
ROW_KIB = 2  # of PostgreSQL's disk for each message, indexes included


class Plant:
    """Everything that a campaign runs, in one folder. It ends with the `async with` block."""

    def __init__(self, folder: Path, rules: str, messages: int) -> None:
        self.folder = folder
        self._logs = folder / "logs"
        self._logs.mkdir()
        (folder / "plant.toml").write_text(rules, encoding="utf-8")
        self.clock = folder / "clock"
        self.disk = Disk(folder / "disk", DISK_MIB + messages * ROW_KIB // 1024)
        self._detours = {role: (free_port(), free_port()) for role in ROLES}
        self.kafka = NativeKafka(folder / "kafka", detours=self._detours)
        self.mqtt = Mosquitto(folder / "mqtt")
        self.postgres = SmallPostgres(self.disk.folder / "postgres", self._logs / "postgres.log")
        self.links = Links(self._logs / "proxy.log")
        self.settings = self._settings(self.kafka.url, self.mqtt.url, self.postgres.port)
        self.roles: Roles
        self.tape: Tape
        self._ending = AsyncExitStack()

    @property
    def servers(self) -> dict[str, Server]:
        """The servers by name."""
        return {"kafka": self.kafka, "postgres": self.postgres, "mqtt": self.mqtt}

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._ending.aclose()
        finally:
            for server in self.servers.values():
                server.kill()
            self.disk.remove()

    async def _begin(self) -> None:
        await asyncio.gather(*(started(server) for server in self.servers.values()))
        await self._ending.enter_async_context(self.links)
        for role, (port, advertised) in self._detours.items():
            await self.links.add(f"{role}-kafka", port, advertised)
        await self.links.add("bridge-mqtt", self.mqtt.port)
        await self.links.add("sinks-postgres", self.postgres.port)
        await in_thread(self._set_up)
        tape = self.folder / "tape"
        tape.mkdir()
        self.tape = await self._ending.enter_async_context(Tape(self.settings, tape))
        commands = {role: linepulse(role) for role in ROLES}
        commands["bridge"] = [*commands["bridge"][:2], "-m", "chaos.clocked_bridge", str(self.clock)]
        env = {role: with_repository(environment(self._of(role))) for role in ROLES}
        self.roles = await self._ending.enter_async_context(Roles(commands, env, self._logs))
        for role, count in WORKERS.items():
            for _ in range(count):
                self.roles.add(role)

    def _of(self, role: str) -> Settings:
        """The settings of a role, with its own links to the servers."""
        ports = self.links.ports
        return self._settings(
            f"127.0.0.1:{ports[f'{role}-kafka']}",
            f"mqtt://127.0.0.1:{ports['bridge-mqtt']}",
            ports["sinks-postgres"],
        )

    def _settings(self, kafka: str, mqtt: str, postgres: int) -> Settings:
        values: dict[str, Any] = {
            "kafka_bootstrap_servers": kafka,
            "mqtt_broker_url": mqtt,
            "database_url": f"postgresql://postgres@127.0.0.1:{postgres}/dashboard_kpi",
            "kafka_session_timeout_s": SESSION_S,
            "kafka_rebalance_timeout_s": REBALANCE_S,
            "http_port": 0,
            "log": "json",
            "plant": self.folder / "plant.toml",
        }
        return Settings(_env_file=None, **values)

    def _set_up(self) -> None:
        done = subprocess.run(
            linepulse("setup"),
            env=environment(self.settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"linepulse setup failed: {done.stdout}{done.stderr}")


async def started(server: Server) -> None:
    """Start a server, and wait until it serves."""
    await in_thread(lambda: server.start(SERVER_S))


async def in_thread(work: Callable[[], object]) -> None:
    """Run blocking work in a thread."""
    await asyncio.to_thread(work)
