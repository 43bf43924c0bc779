"""Every benchmark, one after the other: `make bench`. Prints JSON objects."""

import json
import os
import platform
import subprocess
import sys

from tests.commands import with_repository

BENCHMARKS = ("bridge", "streams", "sinks", "pipeline", "lines", "growth", "rebuild", "rollups")


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as about:
        model = next((line.partition(":")[2].strip() for line in about if line.startswith("model name")), "?")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def main() -> None:
    """Run each in a process of its own."""
    print(json.dumps({"machine": machine()}, indent=2), flush=True)
    for name in BENCHMARKS:
        command = [sys.executable, "-P", "-m", f"benchmarks.{name}"]
        subprocess.run(command, env=with_repository(os.environ), check=True)


if __name__ == "__main__":
    main()
