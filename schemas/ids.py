"""Identifiers derived from the log: the same record gives the same identifier whenever it is read."""

import hashlib
from uuid import UUID

_NAMESPACE = UUID("6f3f1c5e-7a0b-5d0e-9c57-0d9a4be3c2a1").bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def uuid_of(*names: object) -> str:
    """A UUID of version 5 (RFC 9562) for the names, as text."""
    return uuid_of_name("\x1f".join(map(str, names)))


def uuid_of_name(name: str) -> str:
    """The UUID of names that are joined already, as `uuid_of` joins them."""
    digest = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )


def order_number_of(event_id: str, at: int) -> str:
    """`ORD-<epoch seconds>-<5 of A-Z and 0-9>` for an order that an event at `at` (ms) creates."""
    number = int(event_id[:8], 16)
    letters = ""
    for _ in range(5):
        number, letter = divmod(number, 36)
        letters += _LETTERS[letter]
    return f"ORD-{at // 1000}-{letters}"
