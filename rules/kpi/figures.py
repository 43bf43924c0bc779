"""Availability, performance, quality and TRS of any period, from its sums.

Two standards cut the same loss differently. ISO 22400-2: availability = APT/PBT, effectiveness, quality
ratio, and OEE is their product. NF E60-182: DO = tF/tR, TP = tN/tF, TQ = tU/tN, and TRS is theirs. A
micro-stop is a loss of availability in the first and of pace in the second; the product is the same.

Required time (tR) is the time that a line ran, or stood still without being allowed to. Opening time (tO)
adds planned stops, the calendar (tT) what lies outside opening time. Time without signal, and before a line's
first message, is in none of them: the state of the line was not known.
"""

import math
from typing import NamedTuple

HIGHEST = 1e12  # as a ratio; what is above says only that the target rate is next to nothing


class Sums(NamedTuple):
    """What figures are ratios of. Times in any one unit; outputs in pieces."""

    running: float = 0
    micro: float = 0
    unplanned: float = 0
    planned: float = 0
    closed: float = 0
    pieces: int = 0
    defects: int = 0
    theoretical: float = 0.0  # what the target rate gives over running time
    real: float = 0.0  # what is held against it: the reported rate's output, or the pieces made in that time
    stops: int = 0  # unplanned ones

    @property
    def required(self) -> float:
        """tR."""
        return self.running + self.micro + self.unplanned

    @property
    def opening(self) -> float:
        """tO."""
        return self.required + self.planned

    @property
    def calendar(self) -> float:
        """tT, as far as it is known."""
        return self.opening + self.closed


class Figures(NamedTuple):
    """Percentages, 0-100 (above it: as they are), or None; `reason` says why one is missing, or is odd."""

    trs: float | None = None
    availability: float | None = None
    performance: float | None = None
    quality: float | None = None
    do: float | None = None
    tp: float | None = None
    trg: float | None = None
    tre: float | None = None
    reason: str | None = None

    @property
    def oee(self) -> float | None:
        """OEE of ISO 22400-2 is TRS of NF E60-182."""
        return self.trs

    @property
    def tq(self) -> float | None:
        """TQ is the quality ratio."""
        return self.quality


def figures(sums: Sums) -> Figures:
    """The figures of a period: an hour's of its minutes' sums, an order's, a year's."""
    if min(sums) < 0:
        return Figures(reason="correction")
    quality = (sums.pieces - sums.defects) / sums.pieces if sums.pieces else None
    required = sums.required
    if required == 0:
        return Figures(quality=_percent(quality), reason="not_required")
    availability = sums.running / required
    in_function = sums.running + sums.micro
    known = Figures(
        availability=_percent(availability), quality=_percent(quality), do=_percent(in_function / required)
    )
    if sums.running == 0:
        return known._replace(trs=0.0, trg=0.0, tre=0.0, reason="not_running")
    performance = sums.real / sums.theoretical if sums.theoretical else math.inf
    if not performance <= HIGHEST:  # a target next to nothing is none
        return known._replace(reason="no_target")
    known = known._replace(
        performance=_percent(performance), tp=_percent(performance * sums.running / in_function)
    )
    if quality is None:
        return known._replace(reason="no_pieces")
    trs = availability * performance * quality
    return known._replace(
        trs=_percent(trs),
        trg=_percent(trs * required / sums.opening),
        tre=_percent(trs * required / sums.calendar),
        reason="defects_above_pieces" if quality < 0 else "above_100" if performance > 1 else None,
    )


def mtbf(sums: Sums) -> float | None:
    """Mean operating time between failures, ISO 22400-2: running time over unplanned stops; `sums`' unit."""
    return sums.running / sums.stops if sums.stops > 0 else None


def mttr(sums: Sums) -> float | None:
    """Mean time to restoration, ISO 22400-2: unplanned stopped time over unplanned stops, in `sums`' unit."""
    return sums.unplanned / sums.stops if sums.stops > 0 else None


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio * 100, 4) + 0.0  # never -0.0
