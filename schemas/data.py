"""Data messages: what a machine makes and measures. The most frequent ones, so their usual form is read fast.

What the fast way refuses or is not sure of is read the careful way, which alone says what is wrong.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec.structs import replace
from pydantic import ConfigDict, create_model
from pydantic.alias_generators import to_camel

from schemas.bounds import (
    MAX_COUNT,
    MAX_FLOAT,
    MAX_READING,
    MIN_FLOAT,
    Count,
    Number,
    Payload,
    Timestamp,
    near_zero,
    whole_number,
)
from schemas.marks import marked
from schemas.refusals import parse

USUAL_LENGTH = 1024  # bytes; what is longer holds more than a data message's own fields
if TYPE_CHECKING:
    _Whole = int
else:  # a float for as long as it takes to make it whole
    _Whole = (
        Annotated[int, msgspec.Meta(ge=0, le=MAX_READING)]
        | Annotated[float, msgspec.Meta(ge=0, le=MAX_READING)]
    )
# Measures. In which units a machine may send a quantity, `plant.source.UNITS` says.
_Number = Annotated[float, msgspec.Meta(ge=-MAX_FLOAT, le=MAX_FLOAT, extra={"quantity": "number"})]
_Rate = Annotated[_Number, msgspec.Meta(extra={"quantity": "rate"})]
_Temperature = Annotated[_Number, msgspec.Meta(extra={"quantity": "temperature"})]
_Pressure = Annotated[_Number, msgspec.Meta(extra={"quantity": "pressure"})]
_Timestamp = Annotated[str, msgspec.Meta(max_length=64)] | Annotated[float, msgspec.Meta(ge=0, le=1e14)]


class Data(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A data message: pieces made since the machine's last one, rates in pieces per minute, °C, bar.

    Of a machine that sends its counters as they stand, `count` and `defects` are readings. `defects` is None
    where the message does not give them.
    """

    count: _Whole
    defects: _Whole | None = None
    target_rate: _Rate | None = None
    rate: _Rate | None = None
    running: bool | None = None
    temperature: _Temperature | None = None
    pressure: _Pressure | None = None
    timestamp: _Timestamp | None = None


MEASURES: Mapping[str, str] = marked(Data, "quantity")
"""The attributes of `Data` that are measured, each with its quantity; `number` has no units."""


class Limits(NamedTuple):
    """The highest numbers that a machine may send."""

    highest_count: int = MAX_COUNT
    highest_defects: int = MAX_COUNT


INCREMENTS = Limits()
_decode = msgspec.json.Decoder(Data).decode
_measures_of = attrgetter(*MEASURES)


class _Data(Payload):
    model_config = ConfigDict(alias_generator=to_camel)

    count: Count
    defects: Count = 0
    target_rate: Number | None = None
    rate: Number | None = None
    running: bool | None = None
    temperature: Number | None = None
    pressure: Number | None = None
    timestamp: Timestamp | None = None


@lru_cache(maxsize=256)
def _model(limits: Limits) -> type[_Data]:
    if limits == INCREMENTS:
        return _Data
    return create_model(
        "_Data",
        __base__=_Data,
        count=(whole_number(0, limits.highest_count), ...),
        defects=(whole_number(0, limits.highest_defects), 0),
    )


def parse_data(payload: bytes, limits: Limits = INCREMENTS) -> Data:
    """Read a data payload.

    Raises:
        Poison: not a data message; the reason and the field say why.
    """
    return usual_data(payload, limits) or careful_data(payload, limits)


def usual_data(payload: bytes, limits: Limits = INCREMENTS) -> Data | None:
    """What `careful_data` would read, in a fifth of its time; None where that is not certain."""
    if len(payload) > USUAL_LENGTH:
        return None
    try:
        text = payload.decode()  # the decoder does not look into what it skips
        # Names spelled in other ways (target_rate), and nesting, are the careful one's business.
        if "\\" in text or "_" in text or "[" in text or text.find("{", 1) > 0:
            return None
        data = _decode(text)
    except (UnicodeDecodeError, msgspec.DecodeError):
        return None
    if data.defects is None and "defects" in text:
        return None  # null is refused
    for measure in _measures_of(data):
        if measure is not None and -MIN_FLOAT < measure < MIN_FLOAT:
            data = _settled(data)
            break
    if isinstance(data.count, float) or isinstance(data.defects, float):
        whole = _made_whole(data)
        return None if whole is None or not _within(whole, limits) else whole
    return data if _within(data, limits) else None


def _settled(data: Data) -> Data:
    """With 0.0 for what is next to it."""
    return replace(data, **{name: 0.0 for name in MEASURES if near_zero(getattr(data, name))})


def _within(data: Data, limits: Limits) -> bool:
    return data.count <= limits.highest_count and (data.defects or 0) <= limits.highest_defects


def _made_whole(data: Data) -> Data | None:
    """`3.0` is what a machine that knows only floats means by 3; nobody means anything by 3.5."""
    count, defects = data.count, data.defects
    if not float(count).is_integer() or not float(defects or 0).is_integer():
        return None
    return replace(data, count=int(count), defects=None if defects is None else int(defects))


def careful_data(payload: bytes, limits: Limits = INCREMENTS) -> Data:
    """Read a data payload in any of its forms.

    Raises:
        Poison: not a data message; the reason and the field say why.
    """
    read = parse(_model(limits), payload)
    values = {name: getattr(read, name) for name in Data.__struct_fields__}
    if "defects" not in read.model_fields_set:
        values["defects"] = None
    return Data(**values)
