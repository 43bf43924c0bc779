"""A worker's process ends, whatever its libraries leave behind."""

import subprocess
import sys

STUCK = """
import threading
from runtime.worker import end_anyway

threading.Thread(target=threading.Event().wait).start()  # for ever, as Faust's can be
end_anyway(3)
"""


def test_a_thread_that_never_ends_does_not_keep_the_process():
    """It ends with the code that it was given."""
    done = subprocess.run([sys.executable, "-c", STUCK], timeout=20, check=False)
    assert done.returncode == 3
