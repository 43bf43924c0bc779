"""A plant for tests of the whole way: three servers set up, linepulse at work, and its database."""

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.commands import LINEPULSE, ROOT, Running, environment, linepulse, running
from tests.processes import start
from tests.services import Services

LAST_WORDS = 4000  # characters


class Plant:
    """Set up under its rules (the text of a plant.toml); no role runs yet."""

    def __init__(self, services: Services, folder: Path, rules: str, **settings: Any) -> None:
        file = folder / "plant.toml"
        file.write_text(rules)
        self.settings = services.settings(topics=False, plant=file, **settings)
        self.env = environment(self.settings)
        self._folder = folder
        self._stack = ExitStack()
        self._started = 0
        self._roles: dict[str, Running] = {}
        done = linepulse(self.env, "setup")
        assert done.returncode == 0, done.stderr

    def role(self, name: str) -> Running:
        """Start a role. A bridge listens when this returns: before its first subscription, nobody does."""
        self._started += 1
        role = self._stack.enter_context(running(self.env, self._folder / f"{name}-{self._started}", name))
        self._roles[f"{name}-{self._started}"] = role
        if name == "bridge":
            role.says("📡 En écoute")
        return role

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What the database says."""
        with psycopg.connect(self.settings.database_url, row_factory=dict_row) as connection:
            return connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """The only number of the only row."""
        return int(next(iter(self.rows(sql)[0].values())) or 0)

    def simulate(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the simulator; what it prints is for the caller to read."""
        command = [*LINEPULSE, "simulate", *arguments]
        return start(command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End the roles, and show what they said last to whoever reads why a test failed."""
        for name, role in self._roles.items():
            said = (role.output + role.errors)[-LAST_WORDS:]
            print(f"-- {name}, exit code {role.process.poll()}:\n{said}")
        self._stack.close()
