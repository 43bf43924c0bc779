"""The folder of a demo: it may empty it, because a demo made it, and only one demo uses it at a time."""

import fcntl
import shutil
from pathlib import Path
from typing import TextIO

from runtime.errors import UserError

MARK = "linepulse-demo"


def take_folder(folder: Path) -> TextIO:
    """Make or empty the folder; it is locked until the returned file is closed.

    Raises:
        UserError: it holds files that no demo wrote, another demo runs there, or it can't be written.
    """
    mark = folder / MARK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists() and any(folder.iterdir()):
            raise UserError(f"--folder {folder}: holds files that are not a demo's; name another folder")
        lock = mark.open("a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--folder {folder}: {error.strerror}; name a folder that can be written") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise UserError(f"--folder {folder}: another demo runs there; end it, or name another") from None
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()
    return lock
