"""The base of all rules in `plant.toml`: unknown keys are refused, and rules are immutable."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class StrictRules(BaseModel):
    """A table of `plant.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def problem(error: Any, where: str = "") -> str:
    """A validation error as one line: the table `where` it occurred, the key, its value, what is expected."""
    key = ".".join(filter(None, [where, *(str(part) for part in error["loc"])]))
    why = error["msg"].removeprefix("Value error, ")
    value = error["input"]
    shown = f" = {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{key}{shown}: {why}" if key else why
