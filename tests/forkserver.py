"""A process that has imported every role, and forks itself into whatever Python process a test starts.

`python -P -m tests.forkserver SOCKET`; `tests/processes.py` starts it and sends the requests.
Importing a role takes one to two seconds of CPU, forking a fifth of one; the tests start over a thousand.
"""

import array
import builtins
import gc
import importlib
import os
import pickle
import runpy
import signal
import socket
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from linepulse.cli import MODULES

ROLES = ("bridge", "streams", "sinks", "dashboard")
LARGEST = 1 << 17  # bytes of a request: an environment, mostly
FDS = 3


class Request(NamedTuple):
    """What is to run, as somebody would have started it; standard input, output and error come beside it."""

    command: Sequence[str]  # for messages of its own, and for `os.execv`
    options: Sequence[str]  # of `-W`
    module: str  # of `-m`; "" where there is code
    code: str  # of `-c`
    words: Sequence[str]  # sys.argv behind its first
    env: Mapping[str, str]
    cwd: str
    new_session: bool


def preload() -> None:
    """Import what any of them may need; what an import warns of is an error here, once for all of them."""
    warnings.simplefilter("error")
    error = warnings.filters[0]
    for module in {*MODULES.values(), *(f"{role}.role" for role in ROLES)}:
        importlib.import_module(module)
    warnings.filters.remove(error)  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # a collector that looks at all this would copy it, page by page


def serve(server: socket.socket) -> tuple[Request, list[int]]:
    """Fork for each request. Returns in the new process, with its three files; ends with who asks."""
    while True:
        asked, ancillary, *_ = server.recvmsg(LARGEST, socket.CMSG_LEN(FDS * array.array("i").itemsize))
        if not asked:
            sys.exit()
        files = array.array("i")
        for _level, _kind, data in ancillary:
            files.frombytes(data)
        if (pid := fork_away(server)) is None:
            return Request(*pickle.loads(asked)), list(files)
        server.send(str(pid).encode())
        for file in files:
            os.close(file)


def fork_away(server: socket.socket) -> int | None:
    """Fork a process that becomes a child of who asks, which is a subreaper. None in that process."""
    reads, writes = os.pipe()
    if between := os.fork():
        os.close(writes)
        with open(reads) as told:
            pid = int(told.read())
        os.waitpid(between, 0)  # from here on, its child is an orphan that was taken over
        return pid
    os.close(reads)
    if pid := os.fork():
        os.write(writes, str(pid).encode())
        os._exit(0)
    os.close(writes)
    server.close()
    return None


def become(request: Request, files: list[int]) -> None:
    """Take on what a process has from its start."""
    if request.new_session:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.orig_argv[:] = request.command
    sys.argv[1:] = request.words
    sys.path += [path for path in request.env.get("PYTHONPATH", "").split(os.pathsep) if path]
    for option in request.options:
        action, _, category = option.partition("::")
        warnings.simplefilter(action, getattr(builtins, category or "Warning"))  # type: ignore[arg-type]


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks
    server = socket.socket(fileno=int(sys.argv[1]))
    preload()
    request, files = serve(server)
    become(request, files)
    if request.module:
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)
    else:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(request.code, "<string>", "exec"), names)


if __name__ == "__main__":
    main()
