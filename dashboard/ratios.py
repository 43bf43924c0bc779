"""Figures of a period, as ratios of its sums."""

from typing import NamedTuple

from dashboard.models import Sums
from rules.kpi import figures


class Ratios(NamedTuple):
    """The figures, in %, that follow from the page's sums, which have no micro-stops and no planned time."""

    trs: float | None
    availability: float | None
    performance: float | None
    quality: float | None


def ratios(sums: Sums) -> Ratios:
    """The figures of a period with these sums."""
    found = figures.figures(
        figures.Sums(
            running=sums.running_s,
            unplanned=sums.stopped_s,
            pieces=sums.pieces,
            defects=sums.defects,
            theoretical=sums.theoretical,
            real=sums.real,
        )
    )
    return Ratios(found.trs, found.availability, found.performance, found.quality)


def total(parts: list[Sums]) -> Sums:
    """The sums of several periods together."""
    return Sums(
        sum(p.running_s for p in parts),
        sum(p.stopped_s for p in parts),
        sum(p.pieces for p in parts),
        sum(p.defects for p in parts),
        sum(p.theoretical for p in parts),
        sum(p.real for p in parts),
    )
