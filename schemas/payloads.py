"""Parses MQTT payloads: bytes in, a message or Poison out, without state.

Fields are bounded so that PostgreSQL refuses none of their values.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, Strict, model_validator

from schemas.bounds import MAX_COUNT, MAX_QUANTITY, MAX_TEXT, Number, Payload, Quantity, Text, Timestamp
from schemas.data import Data, parse_data
from schemas.errors import Poison
from schemas.events import Priority
from schemas.refusals import parse, shown

__all__ = [
    "MAX_COUNT",
    "MAX_QUANTITY",
    "Data",
    "OrderMessage",
    "Status",
    "Text",
    "parse_data",
    "parse_order",
    "parse_status",
]


class Status(Payload):
    """A status message: `running`, `stopped`, `online` or `offline`, with a reason if known."""

    status: Literal["running", "stopped", "online", "offline"]
    reason: Text | None = None
    timestamp: Timestamp | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_running(cls, fields: Any) -> Any:
        if (
            isinstance(fields, dict)
            and fields.get("status") is None
            and isinstance(fields.get("running"), bool)
        ):
            return {**fields, "status": "running" if fields["running"] else "stopped"}
        return fields


class OrderMessage(Payload):
    """An order message: `add` creates an order, `close` ends one as completed, `cancel` cancels one.

    `close` and `cancel` without an order number mean the running order. `correct` sets the quantity of an
    order that is waiting, running or ended, and adds `defects` found in pieces made at the time `at`
    (negative: takes them back).
    """

    action: Literal["add", "close", "cancel", "correct"] = "add"
    order_number: Text | None = Field(None, alias="orderNumber")
    product_type: Text | None = Field(None, alias="productType")
    quantity: Quantity | None = None
    target_rate: Number | None = Field(None, alias="targetRate")
    priority: Priority = "medium"
    operator: Text | None = None
    request_id: Text | None = Field(None, alias="requestId")
    timestamp: Timestamp | None = None
    defects: Annotated[int, Strict(), Field(ge=-MAX_COUNT, le=MAX_COUNT)] = 0
    at: Timestamp | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.action == "correct":
            if self.order_number is None:
                raise ValueError("orderNumber is missing")
            if self.quantity is None and not self.defects:
                raise ValueError("quantity is missing")
        for name, value in (("productType", self.product_type), ("quantity", self.quantity)):
            if self.action == "add" and value is None:
                raise ValueError(f"{name} is missing")
        return self


_WORDS = {"running", "stopped", "online", "offline"}


def parse_status(payload: bytes) -> Status:
    """Read a status payload: JSON, or a bare or quoted word.

    Raises:
        Poison: not a status message.
    """
    word = payload.strip().strip(b'"').decode("utf-8", "replace").lower()
    if word in _WORDS:
        return Status.model_validate({"status": word})
    if payload and len(payload) <= MAX_TEXT and not payload.lstrip().startswith((b"{", b"[")):
        raise Poison("bad_status", value=shown(word))
    return parse(Status, payload)


def parse_order(payload: bytes) -> OrderMessage:
    """Read an order payload.

    Raises:
        Poison: not an order message.
    """
    try:
        return parse(OrderMessage, payload)
    except Poison as poison:
        if poison.reason == "bad_field" and poison.facts["field"] == "defects":
            raise Poison("bad_field", **poison.facts, expected="defects_change") from None
        raise
