"""A process whose loop hangs ends; one that was frozen does not."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.commands import alive
from tests.eventually import wait_until

LOOP = """
import asyncio, sys, threading
from runtime.narrator import Narrator
from runtime.loop_watchdog import LoopWatchdog

async def work():
    print("works", flush=True)
    if sys.argv[1] == "blocks":
        threading.Event().wait()
    await asyncio.sleep(3600)

loop = asyncio.new_event_loop()
LoopWatchdog(loop, Narrator("en"), limit_s=1, beat_s=0.1).start()
loop.run_until_complete(work())
"""


def start(what: str, out: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", LOOP, what], stdout=out, stderr=subprocess.PIPE)


def test_a_blocked_loop_ends_its_process():
    """With a line in the log, and the traceback of where it hangs."""
    process = start("blocks")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "stuck for 1 s" in out.decode()
    assert b"in work" in err


def test_a_log_that_nobody_reads_does_not_keep_it():
    """The pipe is full, and the line itself can't be written."""
    process = start("blocks")
    out = process.stdout
    assert out is not None
    # The pipe's other end is ours as well: fill it, so that who writes to it waits for ever.
    with Path(f"/proc/{process.pid}/fd/1").open("wb", buffering=0) as pipe:
        wait_until(lambda: out.readline() == b"works\n")
        pipe.write(b"x" * 65536)
        assert process.wait(20) == 1
    process.communicate()


def test_a_frozen_process_gets_its_chance():
    """Frozen for longer than the limit, thawed, it goes on."""
    process = start("sleeps")
    out = process.stdout
    assert out is not None
    wait_until(lambda: out.readline() == b"works\n")
    process.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    wait_until(lambda: time.monotonic() - frozen > 3)
    process.send_signal(signal.SIGCONT)
    thawed = time.monotonic()
    wait_until(lambda: time.monotonic() - thawed > 3)
    assert alive(process.pid)
    process.kill()
    process.communicate()
