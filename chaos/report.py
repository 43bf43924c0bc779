"""What a campaign found, for people and as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from chaos.promises import MOST_MIB, broken
from chaos.recovery import MOST_S, Recovery, by_kind
from chaos.roles import Stop
from chaos.verdict import Verdict


@dataclass
class Report:
    """The outcome; `right` only if nothing is wrong and no promise is broken."""

    seed: int
    messages: int
    faults: int
    seconds: float = 0.0
    signals: int = 0
    recoveries: list[Recovery] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    peak_mib: dict[str, float] = field(default_factory=dict)
    waited_percent: float | None = None  # the share of time in which some process waited for a core
    skipped: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def wrong(self) -> list[str]:
        """What is not as it must be, a sentence each."""
        wrong = list(self.failures)
        if self.verdict is None:
            wrong.append("nothing was judged")
        elif not self.verdict.right:
            wrong.append("PostgreSQL is not what the ledger and the log say")
        wrong += [
            f"{stop.role} ended with code {stop.code}, {stop.seconds:.1f} s after SIGTERM"
            for stop in self.stops
            if not stop.clean
        ]
        wrong += [f"not done: {skipped}" for skipped in self.skipped]
        return wrong

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept, a sentence each."""
        return broken(self.recoveries, self.peak_mib)

    @property
    def outcome(self) -> str:
        """RIGHT, WRONG, or, where all else is right, BROKEN PROMISE."""
        if self.wrong:
            return "WRONG"
        return "BROKEN PROMISE" if self.broken else "RIGHT"

    @property
    def right(self) -> bool:
        """Whether the campaign is passed."""
        return not self.wrong and not self.broken

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **{name: getattr(self, name) for name in ("seed", "messages", "faults", "signals", "skipped")},
            "seconds": round(self.seconds, 1),
            "right": self.right,
            "outcome": self.outcome,
            "wrong": self.wrong,
            "broken": self.broken,
            "recovery": {kind: asdict(figures) for kind, figures in by_kind(self.recoveries).items()},
            "recoveries": [asdict(recovery) for recovery in self.recoveries],
            "longest_stop_s": self.longest_stop_s,
            "peak_mib": {role: round(mib, 1) for role, mib in self.peak_mib.items()},
            "waited_percent": self.waited_percent,
            "verdict": None if self.verdict is None else self.verdict.as_dict(),
        }

    @property
    def longest_stop_s(self) -> dict[str, float]:
        """The longest time from SIGTERM to the end, by role."""
        longest: dict[str, float] = {}
        for stop in self.stops:
            longest[stop.role] = max(round(stop.seconds, 2), longest.get(stop.role, 0))
        return longest

    def text(self) -> str:
        """For people."""
        lines = [
            f"seed {self.seed}, {self.messages} messages, {self.faults} faults,"
            f" {self.signals} SIGKILLs and SIGSTOPs, {self.seconds:.0f} s",
            "",
            *self._recovery_table(),
            "",
            f"peak memory (MiB): {_pairs(self.peak_mib)}; at most {_pairs(MOST_MIB)}",
            f"longest from SIGTERM to the end (s): {_pairs(self.longest_stop_s)}",
        ]
        if self.waited_percent is not None:
            lines.append(f"a process waited for a core: {self.waited_percent:.0f} % of the time")
        if self.verdict is not None:
            lines += ["", self.verdict.text()]
        lines += ["", self.outcome, *(f"- {what}" for what in (*self.wrong, *self.broken))]
        return "\n".join(lines)

    def _recovery_table(self) -> list[str]:
        rows = [
            f"{'works again after':<24}{'times':>6}{'median s':>10}{'p95 s':>9}{'longest s':>11}"
            f"{f'<= {MOST_S:g} s':>9}"
        ]
        for kind, found in by_kind(self.recoveries).items():
            median, p95, longest = (
                "never" if seconds is None else f"{seconds:.1f}"
                for seconds in (found.median_s, found.p95_s, found.longest_s)
            )
            share = f"{found.share_within_20_s:.0%}"
            rows.append(f"{kind:<24}{found.count:>6}{median:>10}{p95:>9}{longest:>11}{share:>9}")
        return rows


def _pairs(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {figure:.1f}" for name, figure in figures.items()) or "none"
