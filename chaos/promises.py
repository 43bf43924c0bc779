"""What a campaign checks beside the rows: how soon the pipeline works again, how much memory it takes."""

from collections.abc import Iterable, Mapping

from chaos.recovery import ENOUGH, MOST_S, MUST_S, Recovery, figures

MOST_MIB = {"bridge": 128.0, "streams": 192.0, "sinks": 192.0}
"""The highest allowed resident memory of one process of a role."""


def broken(recoveries: Iterable[Recovery], peak_mib: Mapping[str, float]) -> list[str]:
    """A sentence for each promise that was not kept."""
    recoveries = list(recoveries)
    return [*_too_late(recoveries), *_too_late_as_a_rule(recoveries), *_too_large(peak_mib)]


def _too_late(recoveries: list[Recovery]) -> list[str]:
    return [
        f"after {recovery.kind} {recovery.target} (fault {recovery.number}) the pipeline did not work again"
        f" within {MUST_S:g} s"
        for recovery in recoveries
        if not recovery.in_time
    ]


def _too_late_as_a_rule(recoveries: list[Recovery]) -> list[str]:
    found = figures(recoveries)
    if found.count < ENOUGH or (found.p95_s is not None and found.p95_s <= MOST_S):
        return []
    took = "never" if found.p95_s is None else f"{found.p95_s:.1f} s"
    return [f"p95 of the {found.count} times until the pipeline worked again: {took}, at most {MOST_S:g} s"]


def _too_large(peak_mib: Mapping[str, float]) -> list[str]:
    return [
        f"{role} took {mib:.1f} MiB, at most {MOST_MIB[role]:g}"
        for role, mib in peak_mib.items()
        if mib > MOST_MIB[role]
    ]
