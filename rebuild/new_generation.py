"""What a rebuild has made, once its tables are full: what a take-over needs to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.state import LineState


@dataclass(frozen=True)
class NewGeneration:
    """A generation that stands in shadow tables and is not live yet.

    Attributes:
        generation: its number.
        plant_text: its rules, the content of `plant.toml`.
        ends: by partition of the raw log, E: the offset after the last record applied. Nothing of a record
            at E or beyond it stands in the tables.
        states: by partition, the lines after the record before E, by line, as `Lines.states` has them: the
            partition's own entry is among them, under `rules.partition.PARTITION`.
        schema: the PostgreSQL schema that holds the tables, under the same names as the live ones.
    """

    generation: int
    plant_text: str
    ends: Mapping[int, int]
    states: Mapping[int, Mapping[str, LineState]]
    schema: str
