"""What the judge found."""

from dataclasses import asdict, dataclass, field
from typing import Any

EXAMPLES = 20


@dataclass
class Finding:
    """One kind of error: how often it was found, and the first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


@dataclass
class Verdict:
    """Right if nothing is lost, doubled or different.

    Attributes:
        counts: what was compared: messages by kind, rows by table, records of the log, ...
        lost: acknowledged messages without a row (or a record on the tape).
        doubled: messages with more rows than they were sent times.
        unknown: rows of numbers that were never sent.
        missing, extra, different: rows by table, against the fold.
        summed: pieces and stops that do not add up to what was published.
        told_lost: dead letters in which a stage itself reports a loss (`expired`, `log_lost`).
        seconds: how long judging took.
    """

    counts: dict[str, int] = field(default_factory=dict)
    lost: Finding = field(default_factory=Finding)
    doubled: Finding = field(default_factory=Finding)
    unknown: Finding = field(default_factory=Finding)
    missing: dict[str, Finding] = field(default_factory=dict)
    extra: dict[str, Finding] = field(default_factory=dict)
    different: dict[str, Finding] = field(default_factory=dict)
    summed: Finding = field(default_factory=Finding)
    told_lost: Finding = field(default_factory=Finding)
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        """Whether everything is as it must be."""
        return not any(finding.count for _, finding in self._wrong())

    def count(self, what: str, times: int = 1) -> None:
        """Count what was compared."""
        self.counts[what] = self.counts.get(what, 0) + times

    def findings(self, table: str) -> tuple[Finding, Finding, Finding]:
        """What is missing, extra and different in a table."""
        found = self.missing, self.extra, self.different
        missing, extra, different = (by_table.setdefault(table, Finding()) for by_table in found)
        return missing, extra, different

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"right": self.right, **asdict(self)}

    def text(self) -> str:
        """For people: the counts, and each finding with its examples."""
        lines = [f"{'RIGHT' if self.right else 'WRONG'}, judged in {self.seconds:g} s"]
        lines += [f"  {number:>9} {what}" for what, number in self.counts.items()]
        reported = [("reported as lost by the pipeline itself", self.told_lost)]
        for what, finding in (*self._wrong(), *reported):
            if finding.count:
                lines.append(f"{finding.count} {what}:")
                lines += [f"  {example}" for example in finding.examples]
        return "\n".join(lines)

    def _wrong(self) -> list[tuple[str, Finding]]:
        wrong = [("lost", self.lost), ("doubled", self.doubled), ("unknown", self.unknown)]
        for name in ("missing", "extra", "different"):
            wrong += [(f"{name} in {table}", found) for table, found in getattr(self, name).items()]
        wrong.append(("sums that are not those of what was published", self.summed))
        return wrong
