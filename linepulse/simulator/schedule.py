"""When each line publishes: pairs of a moment (ms since 1970) and a line, increasing for each line."""

from collections.abc import Iterator, Sequence

from linepulse.simulator.plant import Line
from schemas.instant import DAY, MINUTE, SECOND

HISTORY_SPACING = 5 * SECOND
COUNT_SPACING = 10 * SECOND
LONGEST_HISTORY = 6 * DAY  # the pipeline believes timestamps of up to 7 days ago; a day is reserve

Due = tuple[int, Line]


def span_of(count: int) -> int:
    """Simulated milliseconds that `count` messages of a line take."""
    return min(count * COUNT_SPACING, LONGEST_HISTORY)


def evenly(lines: Sequence[Line], start: int, end: int, count: int) -> Iterator[Due]:
    """`count` messages of each line over (start, end], the last one at `end`."""
    for i in range(1, count + 1):
        at = start + (end - start) * i // count
        for line in lines:
            yield at, line


def past(lines: Sequence[Line], start: int, end: int) -> Iterator[Due]:
    """The history: a message of each line every HISTORY_SPACING over (start, end]."""
    yield from evenly(lines, start, end, max(1, (end - start) // HISTORY_SPACING))


def live(lines: Sequence[Line], start: int, rate: float, seconds: float | None) -> Iterator[Due]:
    """`rate` messages a second of each line from `start` on, in turns; without `seconds`, for ever."""
    period = SECOND / rate
    i = 0
    while seconds is None or i < round(rate * seconds):
        for k, line in enumerate(lines, 1):
            yield start + int(period * (i + k / len(lines))), line
        i += 1


def milliseconds(text: str) -> int:
    """`90s`, `30m`, `8h` or `2d` in milliseconds.

    Raises:
        ValueError: it is none of these, or longer than LONGEST_HISTORY.
    """
    units = {"s": SECOND, "m": MINUTE, "h": 60 * MINUTE, "d": DAY}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit() or int(number) == 0:
        raise ValueError(f"{text!r} is no duration; write 90s, 30m, 8h or 2d")
    if int(number) * units[unit] > LONGEST_HISTORY:
        raise ValueError(
            f"{text!r} is too long: at most {LONGEST_HISTORY // DAY}d, older messages lose their time"
        )
    return int(number) * units[unit]
