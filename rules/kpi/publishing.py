"""Which windows' rows are published after a record: those that changed, the open one once a second."""

from msgspec.structs import replace

from rules.kpi import kpi_row, window_at
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.instant import SECOND
from schemas.kpi_state import Kpi, Window
from schemas.state import MAX_WINDOWS, LineState

REFRESH = SECOND


def publish(draft: LineState, before: Kpi | None, context: RecordContext) -> list[RowUpdate]:
    """The rows of the line's windows that have changed since `before`."""
    if draft.kpi is None:
        return []
    draft.kpi, changed = _publish(before, draft.kpi, context)
    return [kpi_row.row(window, context) for window in changed]


def _publish(before: Kpi | None, kpi: Kpi, context: RecordContext) -> tuple[Kpi, list[Window]]:
    """The windows that changed since `before`; the open one at most once a second."""
    changed: list[Window] = []
    if before is None or kpi.closed is not before.closed:
        known = set() if before is None else {id(window) for window in before.closed}
        changed = [window for window in kpi.closed if id(window) not in known]
        if len(kpi.closed) > MAX_WINDOWS:
            kpi = replace(
                kpi, closed=kpi.closed[-MAX_WINDOWS:], window_orders=window_at.orders_to_remember(kpi)
            )
    if kpi.dirty and context.received_at - kpi.published >= REFRESH and not _empty(kpi):
        changed.append(kpi.open)
        kpi = replace(kpi, published=context.received_at, dirty=False)
    return kpi, changed


def _empty(kpi: Kpi) -> bool:
    window = kpi.open
    return kpi.charged == window.start and not (window.pieces or window.defects or window.stops)
