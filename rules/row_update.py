"""A row that changes, and how to form it. Of several updates of a row in a batch, only the last is formed."""

from collections.abc import Callable

import msgspec

from schemas.events import Event


class RowUpdate(msgspec.Struct, frozen=True, gc=False):
    """The row `id` of the table of `kind` changes to what `form` returns.

    `form` must refer to no exception and no frame: a cycle through an update is never freed (`gc=False`).
    """

    kind: type[Event]
    id: str
    form: Callable[[], Event]
