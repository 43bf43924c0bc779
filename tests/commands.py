"""Running `linepulse` as people do: as a process, with an environment (see `tests/processes.py`)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from linepulse.embedded.server import children_of
from runtime.settings import Settings
from tests.eventually import PATIENCE_S, wait_until
from tests.processes import run, start

ROOT = Path(__file__).parents[1]
LINEPULSE = [sys.executable, "-P", "-m", "linepulse"]
COMMAND_S = 240  # a rebuild of a minute on a machine that has its hands full
VARIABLES = ("LINEPULSE_", "MQTT_", "KAFKA_", "DATABASE_")


def environment(settings: Settings, **overrides: str) -> dict[str, str]:
    """The environment that makes a process read these settings."""
    values = {
        str(field.validation_alias): str(getattr(settings, name))
        for name, field in Settings.model_fields.items()
        if getattr(settings, name) is not None
    }
    return {**outside(), **values, **overrides}


def outside() -> dict[str, str]:
    """The environment of the tests, without what linepulse reads."""
    return {name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)}


def with_repository(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python finds what is not installed: `chaos`, `tests`, `benchmarks`.

    Otherwise it finds them only from the repository's folder, and with `-P` not even there.
    """
    path = [str(ROOT), *filter(None, [env.get("PYTHONPATH")])]
    return {**env, "PYTHONPATH": os.pathsep.join(path)}


def linepulse(
    env: Mapping[str, str], *arguments: str, cwd: Path = ROOT, seconds: float = COMMAND_S
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return run([*LINEPULSE, *arguments], env=env, cwd=cwd, seconds=seconds)


class Running:
    """A command that goes on, its output in files."""

    def __init__(self, env: Mapping[str, str], folder: Path, *arguments: str, cwd: Path = ROOT) -> None:
        self._out, self._err = folder / "stdout.txt", folder / "stderr.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = start(
                [*LINEPULSE, *arguments], env=env, cwd=cwd, stdout=out, stderr=err, start_new_session=True
            )

    @property
    def output(self) -> str:
        return self._out.read_text("utf-8", "replace")

    @property
    def errors(self) -> str:
        return self._err.read_text("utf-8", "replace")

    def says(self, text: str, seconds: float = PATIENCE_S) -> None:
        """Wait until it has written a text, on either output."""

        def said() -> bool:
            assert self.process.poll() is None or text in self.output + self.errors, self.output + self.errors
            return text in self.output + self.errors

        wait_until(said, f"{text!r}", seconds)

    def children(self) -> dict[str, int]:
        """The processes that it started, by the last word of the linepulse command that they run."""
        found = {}
        for pid in children_of(self.process.pid):
            words = command_line(pid)
            if "linepulse" in words:
                found[words[words.index("linepulse") + 1]] = pid
        return found

    def end(self, signum: int = signal.SIGTERM, seconds: float = 15) -> int:
        """Send a signal and wait for the end; its exit code."""
        self.process.send_signal(signum)
        return self.process.wait(seconds)


@contextmanager
def running(env: Mapping[str, str], folder: Path, *arguments: str, cwd: Path = ROOT) -> Iterator[Running]:
    """Run a command until the block ends, whatever happens in it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = Running(env, folder, *arguments, cwd=cwd)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()


def command_line(pid: int) -> list[str]:
    """The words that a process was started with; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
