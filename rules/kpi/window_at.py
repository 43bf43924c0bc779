"""The window that a point in time belongs to: which one it is, its order, and adding to its sums."""

from collections.abc import Mapping

from msgspec.structs import replace

from rules.kpi.remembered import Of, Remembered, plus, time_of
from rules.record_context import RecordContext
from schemas.frozen import latest
from schemas.kpi_state import Kpi, Window, WindowOrder
from schemas.state import MAX_SIZE, MAX_WINDOWS

MAX_WINDOW_ORDERS = 100


def window_of(kpi: Kpi, at: int) -> Window | None:
    """The window of `at`, if it is remembered."""
    if at >= kpi.open.start:
        return kpi.open
    return next((window for window in reversed(kpi.closed) if _holds(window, at)), None)


def order_of(kpi: Kpi, at: int) -> Of | None:
    """The order at `at`; None if that is not known."""
    window = window_of(kpi, at)
    if window is not None:
        return window.order_number, window.product
    return next(
        ((owner.number, owner.product) for owner in reversed(kpi.window_orders) if owner.since <= at), None
    )


def order_or(kpi: Kpi, at: int, order: Of) -> Of:
    """The order of the window of `at`, which is no longer remembered, if it is known; else `order`."""
    for owner in reversed(kpi.window_orders):
        if owner.since <= at:
            return owner.number, owner.product
    return order


def orders_to_remember(kpi: Kpi) -> tuple[WindowOrder, ...]:
    """The orders of earlier windows, with those of the windows that are about to be forgotten."""
    window_orders = kpi.window_orders
    for window in kpi.closed[:-MAX_WINDOWS]:
        if not 0 < time_of(window) == window.end - window.start:  # it stands beside another, and is older
            continue
        owner = WindowOrder(window.start, window.order_number, window.product)
        if not window_orders or replace(owner, since=window_orders[-1].since) != window_orders[-1]:
            window_orders = (*window_orders, owner)
    return (
        window_orders
        if window_orders is kpi.window_orders
        else latest(window_orders, MAX_WINDOW_ORDERS, MAX_SIZE)
    )


def add(kpi: Kpi, at: int, context: RecordContext, order: Of | None = None, **sums: float) -> Kpi:
    """Add to the window that `at` belongs to; to one beside it where it is no longer remembered."""
    if not any(sums.values()):
        return kpi
    if at >= kpi.open.start:
        return replace(kpi, open=plus(kpi.open, sums), shown=0, dirty=True)
    for index in range(len(kpi.closed) - 1, -1, -1):
        window = kpi.closed[index]
        if _holds(window, at):
            return replace(kpi, closed=(*kpi.closed[:index], plus(window, sums), *kpi.closed[index + 1 :]))
    return add_beside(kpi, at, order or (kpi.open.order_number, kpi.open.product), context, sums)


def add_beside(kpi: Kpi, at: int, order: Of, context: RecordContext, sums: Mapping[str, float]) -> Kpi:
    remembered = Remembered(kpi, context)
    remembered.add_beside(at, order, sums)
    return remembered.kpi()


def _holds(window: Window, at: int) -> bool:
    """Whether `at` is time of the window; a window beside another has no time."""
    return window.start <= at < window.end and time_of(window) != 0
