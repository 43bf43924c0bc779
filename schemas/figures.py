"""Availability, performance, quality and TRS of any stretch of time, from its sums.

NF E60-182: TRS = DO x TP x TQ, with DO = running / required time. ISO 22400-2: OEE = availability x
effectiveness x quality ratio. Required time is running and stopped time; planned stops, silence and the time
before a line's first message are not in it.
"""

import math
from typing import Literal, NamedTuple

PerformanceFrom = Literal["rate", "pieces"]


class Figures(NamedTuple):
    """Percentages, 0-100, or None; `reason` says why one is missing, or what is odd about it."""

    trs: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    reason: str | None


def figures(
    running: float,
    stopped: float,
    pieces: int,
    defects: int,
    theoretical: float,
    reported: float,
    performance_from: PerformanceFrom,
) -> Figures:
    """The figures of a stretch.

    Args:
        running, stopped: time in each state, in any one unit.
        pieces, defects: counted.
        theoretical: pieces that the target rate gives over running time.
        reported: pieces that the reported rate gives over the same time.
        performance_from: what is held against `theoretical`: the reported rate, or the pieces.
    """
    quality = (pieces - defects) / pieces if pieces else None
    if running + stopped == 0:
        return Figures(None, None, None, _percent(quality), "not_required")
    if running == 0:
        return Figures(0.0, 0.0, None, _percent(quality), "not_running")
    availability = running / (running + stopped)
    performance = (
        (pieces if performance_from == "pieces" else reported) / theoretical if theoretical else None
    )
    if performance is None or not math.isfinite(performance):  # a target next to nothing is none
        return Figures(None, _percent(availability), None, _percent(quality), "no_target")
    if quality is None:
        return Figures(None, _percent(availability), _percent(performance), None, "no_pieces")
    trs = availability * performance * quality
    reason = "defects_above_pieces" if quality < 0 else None
    return Figures(_percent(trs), _percent(availability), _percent(performance), _percent(quality), reason)


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio * 100, 4)
