"""Machines as they are: what a line's machine sends, under which names, in which units, as which numbers.

The keys stand among a line's rules in `plant.toml`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from schemas.bounds import MAX_COUNT, MAX_READING, Text
from schemas.data import MEASURES, Data, Limits

CountMode = Literal["increment", "counter"]
Highest = Annotated[int, Field(ge=1, le=MAX_READING)]
Factor = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]

# The units in which a machine may send a quantity of `schemas.data.MEASURES`; factor and offset to the first.
UNITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "rate": {"per_minute": (1.0, 0.0), "per_hour": (1 / 60, 0.0), "per_second": (60.0, 0.0)},
    "temperature": {"C": (1.0, 0.0), "F": (5 / 9, -160 / 9), "K": (1.0, -273.15)},
    "pressure": {
        "bar": (1.0, 0.0),
        "mbar": (1e-3, 0.0),
        "Pa": (1e-5, 0.0),
        "kPa": (1e-2, 0.0),
        "psi": (0.0689475729, 0.0),
    },
}
_UNCHANGED = (1.0, 0.0)
_JSON_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(Data)}


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


if TYPE_CHECKING:

    class Fields(_Source):
        """The machine's own names of our fields; a dot leads into an object within: `data.count`."""

    class Units(_Source):
        """The machine's own unit of each quantity; `rate` also goes for its target rate."""

    class Measures(_Source):
        """A number for each measure, None where plant.toml has none."""

else:  # a field of the payload has its keys without being named here
    _NAMED = dict.fromkeys([*Data.__struct_fields__, "status", "reason"])
    Fields = create_model("Fields", __base__=_Source, **dict.fromkeys(_NAMED, (Text | None, None)))
    Units = create_model(
        "Units",
        __base__=_Source,
        **{quantity: (Literal[tuple(units)], next(iter(units))) for quantity, units in UNITS.items()},
    )
    Measures = create_model("Measures", __base__=_Source, **dict.fromkeys(MEASURES, (Factor | None, None)))


class SourceRules(_Source):
    """What a machine's numbers and names mean.

    Attributes:
        count_mode: `increment`: pieces since the last message; `counter`: the counter as it stands.
        counter_max: the highest value of the counter before it starts again at 0.
        counter_max_rate: more pieces a minute than this are not plausible, by which a counter that started
            again is distinguished from one that was set back; without it, twice the line's target rate.
        stopped_after_s: a machine that counts and never says whether it runs is stopped when it has counted
            nothing for so long; without it, it runs on.
        scale, offset: the measure is what the machine sends times `scale` plus `offset`, in its unit.
        running_words, stopped_words: what the machine says for running, for stopped.
    """

    count_mode: CountMode = "increment"
    counter_max: Highest | None = None
    counter_max_rate: float | None = Field(None, gt=0, le=1e9)
    defects_mode: CountMode = "increment"
    defects_max: Highest | None = None
    stopped_after_s: float | None = Field(None, ge=1, le=86_400)
    fields: Fields = Fields()
    units: Units = Units()
    scale: Measures = Measures()
    offset: Measures = Measures()
    running_words: tuple[Text, ...] = ()
    stopped_words: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for mode, highest, key in (
            (self.count_mode, self.counter_max, "counter_max"),
            (self.defects_mode, self.defects_max, "defects_max"),
        ):
            name = "count_mode" if key == "counter_max" else "defects_mode"
            if mode == "counter" and highest is None:
                raise ValueError(f'{key} is missing: {name} = "counter" needs the highest value before 0')
            if mode == "increment" and highest is not None:
                raise ValueError(f'{key} means nothing without {name} = "counter"')
        both = {word_of(word) for word in self.running_words} & {word_of(word) for word in self.stopped_words}
        if both:
            raise ValueError(f"running_words and stopped_words both hold {min(both)!r}")
        return self

    @cached_property
    def limits(self) -> Limits:
        """The highest numbers that the machine may send."""
        return Limits(self.counter_max or MAX_COUNT, self.defects_max or MAX_COUNT)

    @cached_property
    def names(self) -> dict[str, str]:
        """The machine's names for our fields, where it has others."""
        mapped = {name: getattr(self.fields, name) for name in type(self.fields).model_fields}
        return {_ours(name): path for name, path in mapped.items() if path is not None}

    @cached_property
    def linear(self) -> dict[str, tuple[float, float]]:
        """Factor and offset of each measure that is not as we have it."""
        found = {}
        for name, quantity in MEASURES.items():
            factor, zero = UNITS[quantity][getattr(self.units, quantity)] if quantity in UNITS else _UNCHANGED
            scale, offset = getattr(self.scale, name), getattr(self.offset, name)
            line = ((1.0 if scale is None else scale) * factor, (offset or 0.0) * factor + zero)
            if line != _UNCHANGED:
                found[_ours(name)] = line
        return found

    @cached_property
    def words(self) -> dict[str, bool]:
        """What the machine says, and whether it then runs."""
        words = {word_of(word): True for word in self.running_words}
        return {**words, **{word_of(word): False for word in self.stopped_words}}

    @cached_property
    def as_counted(self) -> bool:
        """Whether what the machine sends are increments already, and it says itself when it stops."""
        return self.counter_max is None and self.defects_max is None and self.stopped_after_s is None

    @cached_property
    def as_ours(self) -> bool:
        """Whether the machine's messages are such as `schemas.payloads` reads them."""
        return not (self.names or self.linear or self.words)


def word_of(value: object) -> str:
    """A word as it is compared: `RUN`, ` run` and `Run` are one, `1`, `1.0` and `"1"` another."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()


def _ours(name: str) -> str:
    return _JSON_NAMES.get(name, name)
