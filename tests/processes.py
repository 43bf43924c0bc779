"""Starting Python processes as a test wants them, without waiting for their imports.

`start` takes what `subprocess.Popen` takes. A command that runs this Python is forked from
`tests/forkserver.py`, which has imported everything. It becomes a child of this process all the same, to be
signalled and waited for. Other commands are started as usual; with LINEPULSE_TEST_FORK=no all of them are.
"""

import atexit
import ctypes
import os
import pickle
import socket
import subprocess
import sys
import threading
from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.forkserver import Request

REPOSITORY = Path(__file__).parents[1]
FORKS = sys.platform == "linux" and os.environ.get("LINEPULSE_TEST_FORK") != "no"
PR_SET_CHILD_SUBREAPER = 36
# An interpreter and its libraries read these once, when they start.
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_")
TAKEN_ON = ("PYTHONPATH", "PYTHONWARNINGS")  # by who is forked, too


def start(command: Sequence[str], *, env: Mapping[str, str], **how: Any) -> "subprocess.Popen[Any]":
    """Start a process, forked where that comes to the same."""
    forked = FORKS and words_of(command) is not None and at_start(env) == at_start(os.environ)
    return (Forked if forked else subprocess.Popen)(command, env=env, **how)


def run(
    command: Sequence[str], *, env: Mapping[str, str], seconds: float, **how: Any
) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, with what it writes as text.

    Raises:
        subprocess.TimeoutExpired: it had not ended in time; it has been killed.
    """
    pipe = subprocess.PIPE
    with start(command, env=env, stdout=pipe, stderr=pipe, text=True, **how) as process:
        try:
            out, errors = process.communicate(timeout=seconds)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def words_of(command: Sequence[str]) -> tuple[list[str], str, str, list[str]] | None:
    """Options of -W, the module or the code, and its words; None if this is not such a command."""
    words, warned = list(command), list[str]()
    if words.pop(0) != sys.executable:
        return None
    while words:
        word = words.pop(0)
        if word == "-W":
            warned.append(words.pop(0))
        elif word in ("-m", "-c"):
            what = words.pop(0)
            return warned, *((what, "") if word == "-m" else ("", what)), words
        elif word != "-P":
            return None
    return None


def at_start(env: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that can't be taken on later."""
    return {
        name: value for name, value in env.items() if name.startswith(READ_AT_START) and name not in TAKEN_ON
    }


class Forked(subprocess.Popen[Any]):
    """A Popen whose process is forked by the server, and then is a child of this process like any other."""

    def _execute_child(
        self,
        args: Sequence[str],
        _executable: object,
        _preexec_fn: object,
        _close_fds: object,
        _pass_fds: object,
        cwd: str | Path | None,
        env: Mapping[str, str],
        *rest: Any,
    ) -> None:
        *_, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = rest[:9]
        *_, new_session, _group = rest[9:]
        parsed = words_of(args)
        assert parsed is not None
        warned, module, code, words = parsed
        warned = [*filter(None, env.get("PYTHONWARNINGS", "").split(",")), *warned]
        where = str(Path(cwd or ".").resolve())
        request = Request(args, warned, module, code, words, dict(env), where, bool(new_session))
        files = [own if given == -1 else given for own, given in enumerate((p2cread, c2pwrite, errwrite))]
        try:
            self.pid = fork_server().fork(request, files)
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]
        self._child_created = True


class ForkServer:
    """The server's process, and the way to ask it. The tests' process takes over orphans from now on."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._lock = threading.Lock()
        self._asked, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with answers:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.forkserver", str(answers.fileno())],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": ""},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[answers.fileno()],
            )
        atexit.register(self.end)

    def fork(self, request: Request, files: Sequence[int]) -> int:
        """Have it fork, with these files as standard input, output and error; the new process."""
        with self._lock:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", files))]
            self._asked.sendmsg([pickle.dumps(tuple(request))], rights)
            answer = self._asked.recv(100)
        assert answer, "the fork server has ended: its error is above"
        return int(answer)

    def end(self) -> None:
        """It ends where nobody can ask any more."""
        self._asked.close()
        self._process.wait()


@cache
def fork_server() -> ForkServer:
    """One for each process that runs tests, started when it is first needed."""
    return ForkServer()
