"""The two ways in which work can fail: what it was given, or what it needs."""

from typing import Any


class Poison(Exception):  # noqa: N818 - named for what it is, not for being an exception
    """A record that can never be applied: it becomes one dead letter, its neighbours go on.

    Attributes:
        reason: a stable code (`not_json`, `bad_field`, `unroutable`, ...), key `poison.<reason>` of the
            catalogue, which holds the sentence that a plant engineer reads.
        facts: what fills that sentence in (field, value, ...).
    """

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason, facts)
        self.reason = reason
        self.facts = facts


class Unavailable(Exception):  # noqa: N818
    """A server that does not answer now: wait with back-off, then try the same again. Nothing is lost."""
