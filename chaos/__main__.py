"""`python -m chaos`: breaks the pipeline in every way; its figures must be right to the unit all the same.

The same seed draws the same faults and the same messages; `--seed today` follows from the date (UTC), so that
the campaigns of a week cover every kind of fault with each of its targets. Exit code 0: nothing lost, nothing
doubled, no row different, the sums of rows are those of what was published, and the promises are kept: after
each fault the pipeline worked again in time, and no role took too much memory.
"""

import argparse
import asyncio
import json
import logging
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaos.campaign import A_FAULT_S, Campaign, Options
from chaos.faults import FAULTS
from chaos.plan import Planned, draw_plan, pairs
from chaos.report import Report
from runtime.narrator import quiet_libraries
from tests.services.native import missing

TODAY = "today"


def seed_of(text: str) -> int:
    """The seed that `--seed` names.

    Raises:
        ValueError: it is neither a number nor `today`.
    """
    return datetime.now(UTC).date().toordinal() if text == TODAY else int(text)


def repeated(words: Sequence[str], seed: int) -> str:
    """The command that repeats these arguments, also on another date."""
    named = [
        str(seed) if word == TODAY else word.replace(f"--seed={TODAY}", f"--seed={seed}") for word in words
    ]
    return f"make chaos CHAOS_ARGS={shlex.quote(shlex.join(named))}"


def arguments() -> argparse.Namespace:
    """The command line, parsed."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=seed_of, default=1, help=f"a number, or {TODAY}")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=24)
    parser.add_argument("--faults", type=int, default=12, help="how many")
    parser.add_argument("--kinds", help="only these, separated by commas; see --list")
    parser.add_argument("--rate", type=float, help="messages a second; 0: as fast as the broker takes them")
    parser.add_argument("--seconds", type=float, default=900, help="a campaign that takes longer has failed")
    parser.add_argument("--rules", type=Path, help="a plant.toml; none: the built-in rules")
    parser.add_argument("--json", type=Path, help="write the result there")
    parser.add_argument("--keep", action="store_true", help="keep the folder although all is right")
    parser.add_argument("--list", action="store_true", help="the kinds of faults, and no campaign")
    parser.add_argument("--plan", action="store_true", help="what would be done, and no campaign")
    return parser.parse_args()


def planned(asked: argparse.Namespace) -> list[Planned]:
    """The plan.

    Raises:
        SystemExit: there is no such kind of fault.
    """
    kinds = asked.kinds.split(",") if asked.kinds else list(FAULTS)
    if unknown := [kind for kind in kinds if kind not in FAULTS]:
        sys.exit(f"--kinds: no {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    return draw_plan(asked.seed, asked.faults, {kind: FAULTS[kind] for kind in kinds})


async def campaign(asked: argparse.Namespace, plan: list[Planned], folder: Path) -> Report:
    """Run a campaign; SIGTERM and Ctrl-C end it and all that it started."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    rules = asked.rules.read_text("utf-8") if asked.rules else ""
    options = Options(asked.seed, asked.messages, asked.lines, asked.seconds, asked.rate, rules)
    return await Campaign(options, plan, folder, lambda text: print(text, flush=True)).run()


def main() -> int:
    """Run the command; return the exit code."""
    asked = arguments()
    if asked.list:
        for kind, fault in FAULTS.items():
            targets = ", ".join(target for target in fault.targets if target)
            print(f"{kind:<24}{fault.what}{f' ({targets})' if targets else ''}")
        print(f"{len(FAULTS)} kinds, {len(pairs(FAULTS))} pairs of a kind and its target")
        return 0
    plan = planned(asked)
    print(f"seed {asked.seed}", *plan, sep="\n", flush=True)
    if asked.plan:
        return 0
    if (about := len(plan) * A_FAULT_S) > asked.seconds:
        print(f"this takes about {about:.0f} s, and --seconds {asked.seconds:g} ends it", file=sys.stderr)
    if wrong := missing():
        sys.exit("the campaign needs: " + ", ".join(wrong))
    quiet_libraries(logging.CRITICAL)  # the campaign's own clients log every outage, too
    folder = Path(tempfile.mkdtemp(prefix="linepulse-chaos-"))
    right = False
    try:
        report = asyncio.run(campaign(asked, plan, folder))
        right = report.right
        print(f"\n{report.text()}", flush=True)
        if asked.json:
            result = {"command": sys.argv[1:], "plan": list(map(str, plan)), **report.as_dict()}
            asked.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    except asyncio.CancelledError:
        print("ended before its time", file=sys.stderr)
    finally:
        if right and not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"logs, ledger and tape: {folder}", file=sys.stderr)
        if not right:
            print(f"seed {asked.seed}; the same again: {repeated(sys.argv[1:], asked.seed)}", file=sys.stderr)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
