"""Alerts: which there are, how severe each is, and from which value on it opens and clears.

What makes a line fulfil a condition is in `rules/alerts.py`, its sentence in `catalogue.toml`.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from plant.strict import StrictRules
from schemas.events import Severity

Ratio = Annotated[float, Field(ge=0, le=10)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Degrees = Annotated[float, Field(ge=-1e9, le=1e9)]

AlertType = Literal[
    "LOW_RATE",
    "HIGH_TEMPERATURE",
    "HIGH_DEFECT_RATE",
    "MACHINE_STOP",
    "NO_SIGNAL",
    "CLOCK_SKEW",
    "RATE_MISMATCH",
]

SEVERITY: dict[AlertType, Severity] = {
    "LOW_RATE": "warning",
    "HIGH_TEMPERATURE": "warning",
    "HIGH_DEFECT_RATE": "critical",
    "MACHINE_STOP": "critical",
    "NO_SIGNAL": "warning",
    "CLOCK_SKEW": "warning",
    "RATE_MISMATCH": "info",
}


class AlertRules(StrictRules):
    """When alerts open and clear. Ratios are of 1, delays in seconds of event time."""

    low_rate: Ratio = 0.80
    low_rate_clear: Ratio = 0.85
    low_rate_delay_s: Seconds = 60
    high_temperature: Degrees = 30.0
    high_temperature_clear: Degrees = 29.0
    high_temperature_delay_s: Seconds = 10
    high_defect_rate: Ratio = 0.05
    high_defect_rate_clear: Ratio = 0.04
    high_defect_rate_pieces: int = Field(100, ge=1, le=1000)
    rate_mismatch: Ratio = 0.20
    rate_mismatch_s: Seconds = Field(300, ge=10)

    @model_validator(mode="after")
    def _deadbands(self) -> "AlertRules":
        for clear, beyond in (
            ("low_rate_clear", self.low_rate_clear >= self.low_rate),
            ("high_temperature_clear", self.high_temperature_clear <= self.high_temperature),
            ("high_defect_rate_clear", self.high_defect_rate_clear <= self.high_defect_rate),
        ):
            if not beyond:
                raise ValueError(f"{clear} must lie on the quiet side of the threshold")
        return self
