"""A small disk for PostgreSQL alone, in memory, so that it can be filled."""

import contextlib
import os
import subprocess
from pathlib import Path

from linepulse.embedded.postgres import PostgresServer
from tests.services.native import postgres_binaries

PIECE = 1 << 20


class Disk:
    """A tmpfs if the system lets us mount one, else an ordinary folder that can't be filled."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        self.why_not: str | None = None
        self._filler = folder / "filler"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "linepulse-chaos", str(folder)]
        try:
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
        except OSError as error:
            self.why_not = str(error)
        else:
            self.why_not = None if done.returncode == 0 else done.stderr.strip()

    def fill(self) -> int:
        """Take every byte that is left; return the size of the file that does."""
        assert self.why_not is None, self.why_not
        size = self._filler.stat().st_size if self._filler.exists() else 0
        with self._filler.open("ab") as filler:
            for piece in (PIECE, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(filler.fileno(), size, piece)
                        size += piece
        return size

    def free(self) -> None:
        """Free what `fill` took."""
        self._filler.unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount it, with what it holds."""
        if self.why_not is None:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)


class SmallPostgres(PostgresServer):
    """PostgreSQL with a short write-ahead log, and its messages outside its data folder."""

    def __init__(self, folder: Path, log: Path) -> None:
        super().__init__(folder, binaries=postgres_binaries(), durable=True)
        self.log = log

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("max_wal_size = 128MB\nmin_wal_size = 32MB\n")
