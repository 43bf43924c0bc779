"""A row that changes: which one, and how to form it. Only a row's last form in a batch is ever formed."""

from collections.abc import Callable

import msgspec

from schemas.events import Event


class RowUpdate(msgspec.Struct, frozen=True, gc=False):
    """The row `id` of the table of `kind` takes the form that `form` gives.

    `form` must hold no exception and no frame: a circle through a change is never collected (`gc=False`).
    """

    kind: type[Event]
    id: str
    form: Callable[[], Event]
