"""A server as a child process: started, stopped, killed, frozen, on the same port and data each time."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from linepulse.embedded.ports import answers, free_port

ENDS_WITH_PARENT = Path(__file__).with_name("ends_with_parent.py")
# A child gets its signal when the thread that started it ends: this one lasts as long as the process.
_starter = ThreadPoolExecutor(1, "starter")


class ServerError(RuntimeError):
    """A server did not start; the text holds the end of its log."""


def start_child(
    command: list[str],
    log: Path | None,
    signum: int = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
) -> "subprocess.Popen[bytes]":
    """Start a command in a session of its own (Ctrl-C does not reach it); when we die it gets `signum`.

    `prefix` is a command that runs the rest as another user. Without a log, its output goes where ours goes.
    """
    wrapped = [
        *prefix,
        sys.executable,
        "-IS",
        str(ENDS_WITH_PARENT),
        str(int(signum)),
        str(os.getpid()),
        *command,
    ]

    def start() -> "subprocess.Popen[bytes]":
        out = None if log is None else log.open("ab")
        try:
            return subprocess.Popen(
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=None if out is None else subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()

    return _starter.submit(start).result()


class Server(ABC):
    """One server in a folder. Subclasses define how it is prepared, run and checked."""

    name = "server"
    stop_signal = signal.SIGTERM
    orphan_signal = signal.SIGKILL

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port if port is not None else free_port()
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What clients connect to, in the form of linepulse's settings."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:  # noqa: B027 - most need no preparation
        """Make what the first start needs; called when the folder is new."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line of the server."""

    def prefix(self) -> tuple[str, ...]:
        """A command that runs the server as another user, if needed."""
        return ()

    def ready(self) -> bool:
        """Whether it serves clients."""
        return answers(self.port)

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it serves.

        Raises:
            ServerError: it ended, or was not ready in time.
        """
        if self.running:
            return
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self.prepare()
        self._process = start_child(self.command(), self.log, self.orphan_signal, prefix=self.prefix())
        deadline = time.monotonic() + timeout
        while not self.ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                what = f"ended with code {code}" if code is not None else f"was not ready in {timeout:g} s"
                raise ServerError(f"{self.name} {what}; the end of {self.log}:\n{self._tail()}")
            time.sleep(0.02)

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to end, wait, and kill it if it does not. Safe to call twice."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL, to its own children as well."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open, but get no answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, signum: int) -> None:
        for pid in [self.pid, *children_of(self.pid)]:
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                continue

    def _tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:] if self.log.exists() else "(no log)"


def children_of(pid: int) -> list[int]:
    """All descendants of a process, the nearest first (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ends while we look
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found + [below for child in found for below in children_of(child)]
