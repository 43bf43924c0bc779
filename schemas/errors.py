"""The two expected kinds of failure: the record can't be applied, or a server is unavailable."""

from typing import Any


class Poison(Exception):  # noqa: N818 - named for what it is, not for being an exception
    """A record that can never be applied: it becomes one dead letter, its neighbours go on.

    Attributes:
        reason: a stable code (`not_json`, `bad_field`, `unroutable`, ...), key `poison.<reason>` of the
            catalogue, which holds the sentence that a plant engineer reads.
        facts: the values to fill in that sentence (field, value, ...).
    """

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason, facts)
        self.reason = reason
        self.facts = facts


class Unavailable(Exception):  # noqa: N818
    """A server does not answer now: wait with back-off, then try the same again. Nothing is lost."""
