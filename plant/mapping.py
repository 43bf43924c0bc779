"""A machine's message with its own names and units, read as one with ours; a refusal names what it sent."""

import json
from typing import Any

import msgspec
from pydantic import ConfigDict

from plant.source import SourceRules, word_of
from schemas.bounds import MAX_TEXT, Payload
from schemas.data import Data, parse_data
from schemas.errors import Poison
from schemas.payloads import Status, parse_status
from schemas.refusals import parse, shown

_DATA = tuple(field.encode_name for field in msgspec.structs.fields(Data))
_STATUS = ("status", "running", "reason", "timestamp")
_WORDS = ("running", "status")
_MEASURABLE = 1e15  # what is beyond, or no number, is refused as it stands
_MEASURES_KEPT_TO = 9  # decimals; what a change of unit leaves behind them is noise


class _Object(Payload):
    model_config = ConfigDict(extra="allow")


def read_data(payload: bytes, source: SourceRules) -> Data:
    """Read the data payload of a line's machine.

    Raises:
        Poison: not a data message; the field is named as the machine names it.
    """
    sent: dict[str, Any] = {}
    message = payload
    if not source.as_ours:
        sent, message = _translated(payload, source, _DATA)
    try:
        return parse_data(message, source.limits)
    except Poison as poison:
        raise _refusal(poison, sent, source) from None


def read_status(payload: bytes, source: SourceRules) -> Status:
    """Read the status payload of a line's machine.

    Raises:
        Poison: not a status message; the field is named as the machine names it.
    """
    if source.as_ours:
        return parse_status(payload)
    word = payload[: MAX_TEXT * 4].strip().strip(b'"').decode("utf-8", "replace")
    if word_of(word) in source.words:
        return parse_status(_status(source.words[word_of(word)]))
    if not payload.lstrip().startswith(b"{"):
        return parse_status(payload)
    sent, message = _translated(payload, source, _STATUS)
    try:
        return parse_status(message)
    except Poison as poison:
        raise _refusal(poison, sent, source) from None


def _status(running: bool) -> bytes:
    return b"running" if running else b"stopped"


def _translated(payload: bytes, source: SourceRules, names: tuple[str, ...]) -> tuple[dict[str, Any], bytes]:
    """What the machine sent, by our names, and the same message with our names and units."""
    fields = parse(_Object, payload).model_extra or {}
    sent: dict[str, Any] = {}
    for name in names:
        path = source.names.get(name)
        if path is not None:
            found = _at(fields, path)
            if found is not _ABSENT:
                sent[name] = found
        elif name in fields:
            sent[name] = fields[name]
    changed = {name: _measured(sent[name], *source.linear[name]) for name in source.linear if name in sent}
    if source.words:
        changed |= {name: _worded(name, sent[name], source) for name in _WORDS if name in sent}
    return sent, json.dumps({**sent, **changed}).encode()


_ABSENT = object()


def _at(fields: Any, path: str) -> Any:
    """The value at a path such as `data.count`; a name that itself has a dot is found, too."""
    if isinstance(fields, dict) and path in fields:
        return fields[path]
    for step in path.split("."):
        if not isinstance(fields, dict) or step not in fields:
            return _ABSENT
        fields = fields[step]
    return fields


def _measured(value: Any, factor: float, offset: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MEASURABLE:
        return value
    return round(value * factor + offset, _MEASURES_KEPT_TO)


def _worded(name: str, value: Any, source: SourceRules) -> Any:
    runs = source.words.get(word_of(value)) if isinstance(value, str | int | float) else None
    if runs is None:
        return value
    return runs if name == "running" else _status(runs).decode()


def _refusal(poison: Poison, sent: dict[str, Any], source: SourceRules) -> Poison:
    """The same refusal with the machine's name of the field, its value, and what it may send."""
    name = poison.facts.get("field")
    if name is None:
        return poison
    facts = {**poison.facts, "field": source.names.get(name, name)}
    if poison.reason != "bad_field":
        return Poison(poison.reason, **facts)
    if name in sent:
        facts["value"] = shown(sent[name])
    return Poison("bad_field", **facts, **_expected(name, source))


def _expected(name: str, source: SourceRules) -> dict[str, Any]:
    """What fills in the sentence on what was expected, where it is not the usual one."""
    if name == "count" and source.counter_max is not None:
        return {"expected": "counter", "highest": source.counter_max}
    if name == "defects" and source.defects_max is not None:
        return {"expected": "counter", "highest": source.defects_max}
    if name in ("running", "status") and source.words:
        return {"expected": "words", "words": ", ".join((*source.running_words, *source.stopped_words))}
    if name in source.linear:
        return {"expected": "number"}
    return {"expected": name}
