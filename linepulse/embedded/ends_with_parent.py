"""Run a command that ends with its parent: `python -IS ends_with_parent.py SIGNAL PARENT_PID COMMAND...`.

The kernel sends SIGNAL when the parent's thread ends, however it ends, SIGKILL included. On systems
without this service the command runs without it.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    signal, parent, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:  # the parent died before the call
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
