"""The command line, whose rebuild writes a checkpoint every few records: its processes run this, too."""

import signal

from linepulse.cli import main
from rebuild import reader, work

reader.AT_ONCE = 40
work.CHECKPOINT_S = 0.0

if __name__ == "__main__":
    # Whoever was started in the background of a shell ignores it, and so do all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
