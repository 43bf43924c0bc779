"""The windows that a line remembers, while one record adds to many of them: found by their hour.

A line remembers few windows, but the message that ends a long silence makes thousands and shares its pieces
over them, and a planned stop of a year is taken back hour by hour.
"""

from collections import defaultdict
from collections.abc import Mapping
from operator import attrgetter

from msgspec.structs import replace

from rules.kpi import windowing
from rules.record_context import RecordContext
from schemas.ids import uuid_of
from schemas.instant import HOUR
from schemas.kpi_state import TIMES, Kpi, Window

Of = tuple[str | None, str | None]
"""The number of an order, and its product."""
_times = attrgetter(*TIMES)


class Remembered:
    """A line's windows while a record adds to them."""

    def __init__(self, kpi: Kpi, context: RecordContext) -> None:
        self._before = kpi
        self._context = context
        self._open = kpi.open
        self._closed = list(kpi.closed)
        self._last = max(len(self._closed) - 1, 0)  # where the last one was: the next is there, or behind it
        self._hours: defaultdict[int, list[int]] | None = None

    def end_of(self, at: int) -> int:
        """The end of the window of `at`; if none is remembered, of the time that one correction covers."""
        kpi = self._before
        if at >= self._open.start:
            return max(self._open.end, kpi.charged)
        index = self._of(at)
        if index is not None:
            return self._closed[index].end
        later, hour = self._open.start, at // HOUR
        for near in (hour, hour + 1):
            for index in self._by_hour.get(near, ()):
                start = self._closed[index].start
                if at < start < later:
                    later = start
        later = min([later, *(owner.since for owner in kpi.window_orders if owner.since > at)])
        shift = self._context.shift(at)
        return min(later, shift.end, at + HOUR - (at + shift.offset) % HOUR)

    def add(self, at: int, order: Of | None, sums: Mapping[str, float]) -> None:
        """Add to the window of `at`; to one beside it, of that order, where it is no longer remembered."""
        if not any(sums.values()):
            return
        if at >= self._open.start:
            self._open = plus(self._open, sums)
            return
        index = self._of(at)
        if index is not None:
            self._closed[index] = plus(self._closed[index], sums)
            return
        self.add_beside(at, order or (self._open.order_number, self._open.product), sums)

    def add_beside(self, at: int, order: Of, sums: Mapping[str, float]) -> None:
        """Add to a window of that order beside the one of `at`: one that is there already, or a new one."""
        window = beside(at, order, self._context)
        for index in self._by_hour.get(window.start // HOUR, ()):
            known = self._closed[index]
            same = known.start == window.start and (known.order_number, known.product) == order
            if same and known.end == window.end and not time_of(known):
                self._closed[index] = plus(known, sums)
                return
        self._note(self._by_hour, len(self._closed), window)
        self._closed.append(plus(window, sums))

    def kpi(self) -> Kpi:
        """The line's windows, with what was added."""
        kpi = replace(self._before, closed=tuple(self._closed))
        if self._open is self._before.open:
            return kpi
        return replace(kpi, open=self._open, shown=0, dirty=True)

    def _of(self, at: int) -> int | None:
        """The index of the closed window that has this point in time; of several, the latest."""
        for index in range(self._last, min(self._last + 2, len(self._closed))):
            window = self._closed[index]
            if window.start <= at < window.end and time_of(window):
                self._last = index
                return index
        for index in reversed(self._by_hour.get(at // HOUR, ())):
            window = self._closed[index]
            if window.start <= at < window.end and time_of(window):
                self._last = index
                return index
        return None

    @property
    def _by_hour(self) -> defaultdict[int, list[int]]:
        """The indexes of the closed windows of each hour; made only for the few messages that need it."""
        if self._hours is None:
            self._hours = defaultdict(list)
            for index, window in enumerate(self._closed):
                self._note(self._hours, index, window)
        return self._hours

    @staticmethod
    def _note(hours: defaultdict[int, list[int]], index: int, window: Window) -> None:
        for hour in range(window.start // HOUR, (window.end - 1) // HOUR + 1):
            hours[hour].append(index)


def plus(window: Window, sums: Mapping[str, float]) -> Window:
    """The window with these added to its sums."""
    return replace(window, **{name: getattr(window, name) + more for name, more in sums.items()})


def beside(at: int, order: Of, context: RecordContext) -> Window:
    """An empty correction beside the window of `at`: it holds changes only."""
    window = windowing.begin(at, *order, context)
    return replace(window, id=uuid_of("kpi", context.event_id, window.start))


def time_of(window: Window) -> int:
    """The time (ms) that is charged to it; one that stands beside another has none."""
    return sum(_times(window))
