"""A worker's process ends, whatever its libraries leave running."""

import subprocess
import sys

from mode.utils.queues import FlowControlEvent

from runtime.worker import Buffer

STUCK = """
import threading
from runtime.worker import end_anyway

threading.Thread(target=threading.Event().wait).start()  # for ever, as Faust's can be
end_anyway(3)
"""

FAILS_TO_TIDY_UP = """
import asyncio, os, signal, threading
from types import SimpleNamespace
from runtime.worker import run_app

async def start():
    threading.Thread(target=threading.Event().wait).start()  # as Faust's
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)

async def stop():
    print("app stopped", flush=True)

async def tidy_up():
    raise OSError("the last rows can't be told")

async def main():
    app = SimpleNamespace(start=start, stop=stop, _crashed=asyncio.Event(), crash_reason=None)
    watchdog = SimpleNamespace(until_dead=asyncio.Event().wait)
    await run_app(app, watchdog, stopping=tidy_up)

asyncio.run(main())
"""


def test_what_fails_at_the_end_is_told_and_the_process_ends_all_the_same():
    """SIGTERM: its own tidying up fails, Faust's goes on; a thread of Faust's would keep it for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FAILS_TO_TIDY_UP], timeout=20, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "app stopped" in done.stdout
    assert "the last rows can't be told" in done.stderr


def test_a_thread_that_never_ends_does_not_keep_the_process():
    """It ends with the given code."""
    done = subprocess.run([sys.executable, "-c", STUCK], timeout=20, check=False)
    assert done.returncode == 3


def test_a_buffer_takes_what_comes_and_tells_of_pressure_each_time() -> None:
    """Also for a partition that it reported before: a rebalance may have resumed it meanwhile."""
    buffer = Buffer(4, flow_control=FlowControlEvent())
    full: list[int] = []
    for number in range(6):
        buffer.put_nowait_enhanced(
            number, on_pressure_high=lambda: full.append(buffer.qsize()), on_pressure_drop=full.clear
        )
    assert (buffer.full(), buffer.qsize(), full) == (False, 6, [3, 4, 5])
