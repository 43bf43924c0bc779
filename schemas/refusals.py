"""Reads a message with pydantic: a model, or Poison that says what is wrong with the message."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.bounds import MAX_DEPTH, Payload
from schemas.errors import Poison

Message = TypeVar("Message", bound=Payload)


def parse(model: type[Message], payload: bytes) -> Message:
    """Read a payload as JSON.

    Raises:
        Poison: it is not such a message; its reason and facts say why.
    """
    if not payload:
        raise Poison("empty")
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH and _depth(payload) > MAX_DEPTH:
        raise Poison("too_deep", limit=MAX_DEPTH)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise _poison(model, payload, error) from None


def _depth(payload: bytes) -> int:
    """How deep the brackets of a JSON text nest, not counting those within strings."""
    deepest = depth = 0
    in_string = escaped = False
    for byte in payload:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # \
                escaped = True
            elif byte == 0x22:  # "
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _poison(model: type[Payload], payload: bytes, error: ValidationError) -> Poison:
    problem: Mapping[str, Any] = error.errors(include_url=False)[0]
    if problem["type"] == "json_invalid":
        return _not_json(payload)
    if not problem["loc"]:
        if problem["type"] == "value_error":  # a message that lacks a field which its action needs
            return Poison("missing", field=str(problem["ctx"]["error"]).removesuffix(" is missing"))
        return Poison("not_object", value=shown(problem["input"]))
    field = str(problem["loc"][0])
    if field in model.model_fields:  # accepted as `target_rate`, too; reported under its documented name
        field = model.model_fields[field].alias or field
    if problem["type"] == "missing":
        return Poison("missing", field=field)
    return Poison("bad_field", field=field, value=shown(problem["input"]))


def _not_json(payload: bytes) -> Poison:
    if not payload.strip():
        return Poison("blank", length=len(payload))
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        return Poison("not_utf8", position=error.start)
    try:
        json.loads(text)
    except ValueError as error:
        return Poison("not_json", position=getattr(error, "pos", 0))
    except RecursionError:
        pass
    return Poison("not_json", position=0)


def shown(value: Any) -> str:
    """A value as text for a sentence: at most 60 characters, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}…"
