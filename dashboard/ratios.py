"""Figures of stretches of time, as ratios of their sums."""

from dashboard.models import Sums
from schemas.figures import Figures, PerformanceFrom, figures


def ratios(sums: Sums, performance_from: PerformanceFrom = "rate") -> Figures:
    """The figures of a stretch."""
    return figures(
        sums.running_s,
        sums.stopped_s,
        sums.pieces,
        sums.defects,
        sums.theoretical,
        sums.reported,
        performance_from,
    )


def total(parts: list[Sums]) -> Sums:
    """The sums of several stretches together."""
    return Sums(
        sum(p.running_s for p in parts),
        sum(p.stopped_s for p in parts),
        sum(p.pieces for p in parts),
        sum(p.defects for p in parts),
        sum(p.theoretical for p in parts),
        sum(p.reported for p in parts),
    )
