"""The bounds of a message's fields: narrow enough that PostgreSQL refuses none of their values."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

MAX_COUNT = 1_000_000
MAX_READING = 2**53  # of a counter; beyond it, a float can't represent every whole number
MAX_QUANTITY = 100_000_000
MAX_FLOAT = 1e9
MIN_FLOAT = 1e-9  # what is closer to 0 is read as 0: no sensor measures it, and it makes no useful divisor
MAX_TEXT = 200
MAX_DEPTH = 16


def _whole(lowest: int, highest: int) -> AfterValidator:
    """Turns a float such as `3.0`, as machines without whole numbers send, into a whole number."""

    def whole(number: float) -> int:
        if not number.is_integer() or not lowest <= number <= highest:
            raise ValueError("not a whole number within bounds")
        return int(number)

    return AfterValidator(whole)


def near_zero(number: float | None) -> bool:
    """Whether a number is to be read as 0: it is too small to mean anything, or 0, which may be `-0.0`."""
    return number is not None and -MIN_FLOAT < number < MIN_FLOAT


def _settled(number: float) -> float:
    return 0.0 if near_zero(number) else number


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains a NUL character")
    return text


def whole_number(lowest: int, highest: int) -> Any:
    """The type of a whole number within bounds; a float such as `3.0` is accepted."""
    return Annotated[
        Annotated[int, Strict(), Field(ge=lowest, le=highest)]
        | Annotated[float, Strict(), _whole(lowest, highest)],
        Field(union_mode="left_to_right"),
    ]


if TYPE_CHECKING:
    Count = int
    Quantity = int
else:
    Count = whole_number(0, MAX_COUNT)
    Quantity = whole_number(1, MAX_QUANTITY)
Number = Annotated[
    float,
    Strict(),
    Field(ge=-MAX_FLOAT, le=MAX_FLOAT, allow_inf_nan=False),
    AfterValidator(_settled),
]
Text = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_no_nul)]
Timestamp = (
    Annotated[str, Strict(), Field(max_length=64)]
    | Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=1e14)]
)


class Payload(BaseModel):
    """A message as pydantic reads it: slower than msgspec, but it reports what is wrong."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)
