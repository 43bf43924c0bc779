"""What a line's state is made of."""

from typing import TypeVar

import msgspec

Interval = tuple[int, int]
"""[start, end), ms."""


class Frozen(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a state is made of: never changed, only replaced."""


Item = TypeVar("Item", bound=Frozen)


def latest(items: tuple[Item, ...], most: int, size: int) -> tuple[Item, ...]:
    """The last of them: so many at most, and so many bytes as JSON."""
    items = items[-most:]
    while len(msgspec.json.encode(items)) > size:
        items = items[1:]
    return items
