"""A generation that a rebuild has made: what a take-over needs to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.state import LineState


@dataclass(frozen=True)
class NewGeneration:
    """A generation that is complete in shadow tables and not live yet.

    Attributes:
        generation: its number.
        plant_text: its rules, the content of `plant.toml`.
        ends: by partition of the raw log, E: the offset after the last record applied. Records at E or
            beyond it have no effect in the tables.
        states: by partition and line, the line states after the record before E, as in `Lines.states`: the
            partition's own entry is among them, under `rules.partition.PARTITION`.
        schema: the PostgreSQL schema that holds the tables, under the same names as the live ones.
    """

    generation: int
    plant_text: str
    ends: Mapping[int, int]
    states: Mapping[int, Mapping[str, LineState]]
    schema: str
