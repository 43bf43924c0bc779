"""What the benchmarks read off a process."""

import os
from pathlib import Path
from urllib.request import urlopen

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def metric(port: int, name: str) -> float:
    """The sum of a figure over its labels, from `/metrics`; 0 while nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def cpu_seconds(pid: int | str = "self") -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def peak_mib(pid: int | str = "self") -> float:
    """The most memory that a process has held."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def figures(count: float, seconds: float, cpu: float, mib: float, what: str = "messages") -> dict[str, float]:
    """Rate by the clock and by CPU time, cost of one, peak memory."""
    return {
        f"{what}_per_s": round(count / seconds),
        f"{what}_per_core_s": round(count / cpu),
        f"cpu_us_per_{what.rstrip('s')}": round(cpu / count * 1e6, 1),
        "peak_mib": round(mib, 1),
    }
