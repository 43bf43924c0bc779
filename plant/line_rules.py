"""The rules of one line: its calendar, its targets, its automatic orders, its alerts."""

from functools import cached_property

from pydantic import Field, ValidationInfo, field_validator

from plant.alert_rules import AlertRules
from plant.calendar_rules import CalendarRules
from plant.source import SourceRules
from plant.strict import StrictRules
from schemas.events import PerformanceFrom, Priority
from schemas.instant import SECOND
from schemas.payloads import MAX_QUANTITY, Text

HOUR_S = 3600
MICRO_STOP_WINDOWS = 15  # windows that are remembered until it is known whether a stop is a micro-stop


class OrderRules(StrictRules):
    """The order that is created when data arrives and no order is waiting."""

    quantity: int = Field(10_000, ge=1, le=MAX_QUANTITY)
    product: Text = "Bouteille Standard 1L"
    priority: Priority = "medium"
    operator: Text = "Auto MQTT"


class LineRules(CalendarRules, SourceRules):
    """One line's rules. Rates in pieces per minute."""

    name: Text | None = None
    target_rate: float | None = Field(None, gt=0, le=1e9)
    slow_rate: float = Field(0.80, ge=0, le=1)  # a running line below this share of its target is slow
    silence_s: float = Field(30, ge=1, le=86_400)
    trailing_s: float = Field(
        60, ge=0, le=HOUR_S
    )  # a line that counts pieces for so long ends a stop that a status message began
    accept_past_s: float = Field(7 * 86_400, ge=60, le=31 * 86_400)
    window_s: int = Field(60, ge=10, le=HOUR_S)
    micro_stop_s: float = Field(0, ge=0)  # a shorter stop is a micro-stop
    performance_from: PerformanceFrom = "rate"
    order: OrderRules = OrderRules()
    alerts: AlertRules = AlertRules()

    @cached_property
    def silence(self) -> int:
        """How long (ms) a line may be silent before it is without signal."""
        return round(self.silence_s * SECOND)

    @cached_property
    def past(self) -> int:
        """How far in the past (ms) a machine's timestamp may lie."""
        return round(self.accept_past_s * SECOND)

    @field_validator("window_s")
    @classmethod
    def _divides_the_hour(cls, window_s: int) -> int:
        if HOUR_S % window_s:
            raise ValueError(
                "windows must divide the hour; take 10, 12, 15, 20, 30, 60, 120, 300, 600, 900 …"
            )
        return window_s

    @field_validator("micro_stop_s")
    @classmethod
    def _remembered(cls, micro_stop_s: float, info: ValidationInfo) -> float:
        most = MICRO_STOP_WINDOWS * info.data.get("window_s", HOUR_S)
        if micro_stop_s > most:
            raise ValueError(
                f"a micro-stop is at most {MICRO_STOP_WINDOWS} windows long, {most} s here;"
                " shorten it, or lengthen window_s"
            )
        return micro_stop_s
