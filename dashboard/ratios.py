"""Figures of stretches of time, as ratios of their sums."""

from dashboard.models import Sums
from schemas import figures
from schemas.figures import Figures


def ratios(sums: Sums) -> Figures:
    """The figures of a stretch."""
    return figures.figures(
        figures.Sums(
            running=sums.running_s,
            unplanned=sums.stopped_s,
            pieces=sums.pieces,
            defects=sums.defects,
            theoretical=sums.theoretical,
            real=sums.real,
        )
    )


def total(parts: list[Sums]) -> Sums:
    """The sums of several stretches together."""
    return Sums(
        sum(p.running_s for p in parts),
        sum(p.stopped_s for p in parts),
        sum(p.pieces for p in parts),
        sum(p.defects for p in parts),
        sum(p.theoretical for p in parts),
        sum(p.real for p in parts),
    )
