"""Ratios of sums: availability, performance, quality and TRS of any stretch of time."""

import math
from dataclasses import dataclass

from dashboard.models import Sums


@dataclass(frozen=True)
class Ratios:
    """Percentages, or None where there is nothing to divide by."""

    trs: float | None
    availability: float | None
    performance: float | None
    quality: float | None


def ratios(sums: Sums, performance_from: str = "rate") -> Ratios:
    """The four figures of a stretch, as NF E60-182 and ISO 22400-2 have them.

    Required time is running and stopped time: planned stops, silence and the time before the first message
    are not in it. A stretch without running time has TRS 0; without pieces or target it has none.
    """
    required = sums.running_s + sums.stopped_s
    quality = (sums.pieces - sums.defects) / sums.pieces if sums.pieces > 0 else None
    if sums.running_s <= 0:
        stood = 0.0 if required > 0 else None
        return Ratios(stood, stood, None, None if quality is None else 100 * quality)
    availability = sums.running_s / required
    output = sums.reported if performance_from == "rate" else sums.pieces
    performance = output / sums.theoretical if sums.theoretical > 0 else None
    if performance is not None and not math.isfinite(performance):  # a target next to nothing is none
        performance = None
    trs = None if quality is None or performance is None else availability * performance * quality
    return Ratios(
        *(None if r is None else 100 * r for r in (trs, availability, performance, quality)),
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
