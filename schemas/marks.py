"""What annotations say of a struct's fields beside types, as `msgspec.Meta(extra={"quantity": "rate"})`."""

from typing import Any, get_args

import msgspec


def marked(struct: type[msgspec.Struct], mark: str) -> dict[str, Any]:
    """The fields whose type, or one of the types of a union, has this mark; each with its value."""
    return {
        field.name: meta.extra[mark]
        for field in msgspec.structs.fields(struct)
        for kind in (field.type, *get_args(field.type))
        for meta in getattr(kind, "__metadata__", ())
        if mark in (meta.extra or {})
    }
