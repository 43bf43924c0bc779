"""A coverage-guided fuzz of parser and fold, run by hand: atheris is no dependency of linepulse.

    .venv/bin/pip install atheris
    .venv/bin/python -m tests.fuzz.fuzz_fold /tmp/corpus tests/fuzz/corpus -max_total_time=3600 -max_len=2048

What it finds goes into the first folder; an input that fails is written to crash-… and names the failure. To
keep the corpus small, merge what is new into an empty folder (-merge=1), and take over what is worth it.
"""

import sys

import atheris

with atheris.instrument_imports(include=["schemas", "streams"]):
    from tests.fuzz.target import one_input

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
