"""MQTT payloads and their one parser: bytes in, a message or Poison out. It keeps no state.

The bounds are such that PostgreSQL has nothing left to refuse.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from schemas.errors import Poison
from schemas.events import Priority
from schemas.instant import ms_of

MAX_COUNT = 1_000_000
MAX_QUANTITY = 100_000_000
MAX_FLOAT = 1e9
MAX_TEXT = 200
MAX_DEPTH = 16
_EPOCH_IN_MS = 1e11  # as seconds, a number from here on is past the year 5000: it is milliseconds


def _whole(lowest: int, highest: int) -> AfterValidator:
    """What a machine that knows only floats means by `3.0`."""

    def whole(number: float) -> int:
        if not number.is_integer() or not lowest <= number <= highest:
            raise ValueError("not a whole number within bounds")
        return int(number)

    return AfterValidator(whole)


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains a NUL character")
    return text


if TYPE_CHECKING:
    Count = int
    Quantity = int
else:
    Count = Annotated[
        Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT)]
        | Annotated[float, Strict(), _whole(0, MAX_COUNT)],
        Field(union_mode="left_to_right"),
    ]
    Quantity = Annotated[
        Annotated[int, Strict(), Field(ge=1, le=MAX_QUANTITY)]
        | Annotated[float, Strict(), _whole(1, MAX_QUANTITY)],
        Field(union_mode="left_to_right"),
    ]
Number = Annotated[float, Strict(), Field(ge=-MAX_FLOAT, le=MAX_FLOAT, allow_inf_nan=False)]
Text = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_no_nul)]
Timestamp = (
    Annotated[str, Strict(), Field(max_length=64)]
    | Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=1e14)]
)


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Data(_Payload):
    """A data message: increments since the machine's last message, rates in pieces per minute, °C, bar."""

    count: Count
    defects: Count = 0
    target_rate: Number | None = Field(None, alias="targetRate")
    rate: Number | None = None
    running: bool | None = None
    temperature: Number | None = None
    pressure: Number | None = None
    timestamp: Timestamp | None = None


class Status(_Payload):
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


class Order(_Payload):
    """An order message: `add` plans one, `close` ends one as completed, `cancel` drops one.

    `close` and `cancel` without an order number mean the running order.
    """

    action: Literal["add", "close", "cancel"] = "add"
    order_number: Text | None = Field(None, alias="orderNumber")
    product_type: Text | None = Field(None, alias="productType")
    quantity: Quantity | None = None
    target_rate: Number | None = Field(None, alias="targetRate")
    priority: Priority = "medium"
    operator: Text | None = None
    request_id: Text | None = Field(None, alias="requestId")
    timestamp: Timestamp | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, value in (("productType", self.product_type), ("quantity", self.quantity)):
            if self.action == "add" and value is None:
                raise ValueError(f"{name} is missing")
        return self


Message = TypeVar("Message", bound=_Payload)
_WORDS = {"running", "stopped", "online", "offline"}


def parse_data(payload: bytes) -> Data:
    """Read a data payload.

    Raises:
        Poison: not a data message; the reason and the field say why.
    """
    return _parse(Data, payload)


def parse_status(payload: bytes) -> Status:
    """Read a status payload: JSON, or a bare or quoted word.

    Raises:
        Poison: not a status message.
    """
    word = payload.strip().strip(b'"').decode("utf-8", "replace").lower()
    if word in _WORDS:
        return Status.model_validate({"status": word})
    if payload and len(payload) <= MAX_TEXT and not payload.lstrip().startswith((b"{", b"[")):
        raise Poison("bad_status", value=_shown(word))
    return _parse(Status, payload)


def parse_order(payload: bytes) -> Order:
    """Read an order payload.

    Raises:
        Poison: not an order message.
    """
    return _parse(Order, payload)


def event_time(timestamp: str | float | None, time_zone: str) -> int | None:
    """A payload's `timestamp` in ms since 1970, None where there is none.

    ISO 8601 (without an offset: in the plant's time zone), or seconds or milliseconds since 1970.

    Raises:
        Poison: text that is no point in time.
    """
    if timestamp is None:
        return None
    if isinstance(timestamp, str):
        return _iso(timestamp, time_zone)
    return int(timestamp if timestamp >= _EPOCH_IN_MS else timestamp * 1000)


def _iso(text: str, time_zone: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(time_zone))
        return ms_of(moment)
    except (ValueError, OverflowError):
        raise Poison("bad_field", field="timestamp", value=_shown(text)) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _parse(model: type[Message], payload: bytes) -> Message:
    if not payload:
        raise Poison("empty")
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH and _depth(payload) > MAX_DEPTH:
        raise Poison("too_deep", limit=MAX_DEPTH)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise _poison(payload, error) from None


def _depth(payload: bytes) -> int:
    """How deep the brackets of a JSON text nest, those within strings left out."""
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


def _poison(payload: bytes, error: ValidationError) -> Poison:
    problem: Mapping[str, Any] = error.errors(include_url=False)[0]
    if problem["type"] == "json_invalid":
        return _not_json(payload)
    if not problem["loc"]:
        if problem["type"] == "value_error":  # a message that lacks what its action needs
            return Poison("missing", field=str(problem["ctx"]["error"]).removesuffix(" is missing"))
        return Poison("not_object", value=_shown(problem["input"]))
    field = str(problem["loc"][0])
    if problem["type"] == "missing":
        return Poison("missing", field=field)
    return Poison("bad_field", field=field, value=_shown(problem["input"]))


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


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}…"
