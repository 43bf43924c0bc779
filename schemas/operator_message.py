"""Operator messages, on a line's status topic: reasons of stops, planned stops, retirement of lines.

A status message is an operator's if it has an `action`, and no `status` or `running` beside it.
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, Strict, model_validator

from schemas.bounds import Payload, Text, Timestamp
from schemas.errors import Poison
from schemas.refusals import parse

Action = Literal["reason", "plan", "unplan", "retire", "forget"]
_NEEDS: dict[str, tuple[str, ...]] = {
    "reason": (),
    "plan": ("start", "end", "requestId"),
    "unplan": ("requestId",),
    "retire": (),
    "forget": (),
}


class OperatorMessage(Payload):
    """A message that an operator sends.

    Attributes:
        action: `reason` gives a stop its reason, or declares it planned, or not planned after all; `plan`
            announces a planned stop; `unplan` withdraws the one that was announced with that `requestId`;
            `retire` takes a line out of service; `forget` deletes its state, as if it had never been heard.
        stop: the stop's id; without it the one at `at`, without that the open or the latest one.
    """

    action: Action
    stop: Text | None = None
    at: Timestamp | None = None
    reason: Text | None = None
    planned: Annotated[bool, Strict()] | None = None
    start: Timestamp | None = None
    end: Timestamp | None = None
    request_id: Text | None = Field(None, alias="requestId")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"start": self.start, "end": self.end, "requestId": self.request_id}
        for name in _NEEDS[self.action]:
            if needed[name] is None:
                raise ValueError(f"{name} is missing")
        if self.action == "reason" and self.reason is None and self.planned is None:
            raise ValueError("reason is missing")
        return self


class _Object(Payload):
    model_config = ConfigDict(extra="allow")


def parse_operator_message(payload: bytes) -> OperatorMessage | None:
    """Read an operator message; None if a machine sent it.

    Raises:
        Poison: it is an operator message, and wrong.
    """
    if b'"action"' not in payload:
        return None
    try:
        fields = parse(_Object, payload).model_extra or {}
    except Poison:
        return None  # the status parser will report what is wrong
    if "action" not in fields or "status" in fields or "running" in fields:
        return None
    try:
        return parse(OperatorMessage, payload)
    except Poison as poison:
        if poison.facts.get("field") != "action":
            raise
        raise Poison(poison.reason, **poison.facts, expected="status_action") from None
