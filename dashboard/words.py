"""Texts, numbers, times and durations, in the visitor's language and the plant's time zone."""

import math
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from plant.catalogue import sentence

LANGUAGES = ("fr", "en")
NARROW_SPACE = "\u202f"
NONE = "–"
ANOTHER_YEAR = timedelta(days=300)


class Words:
    """The words of one language in one time zone."""

    def __init__(self, lang: str, time_zone: str) -> None:
        self.lang = lang
        self.time_zone = time_zone

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def t(self, key: str, **facts: object) -> str:
        """The page's text of that name."""
        return sentence(self.lang, f"page.{key}", **facts)

    def code(self, group: str, code: str | None) -> str:
        """The text of a code of ours; another code, such as a machine's own reason, is returned as it is."""
        if code is None:
            return NONE
        try:
            return self.t(f"{group}_{code}")
        except KeyError:
            return code

    def alert(self, type_: str, value: float | None, threshold: float | None, message: str) -> str:
        """An alert's sentence in this language; the row's own message if the catalogue lacks its type."""
        try:
            return sentence(self.lang, f"alerts.{type_}", value=value or 0.0, threshold=threshold or 0.0)
        except KeyError:
            return message

    def number(self, value: float | None, digits: int = 0) -> str:
        """`5213` -> `5 213` or `5,213`, rounded."""
        if value is None or not math.isfinite(value):
            return NONE
        text = f"{value:,.{digits}f}"
        if self.lang == "fr":
            return text.replace(",", NARROW_SPACE).replace(".", ",")
        return text

    def percent(self, value: float | None) -> str:
        """`82.36` -> `82,3`: rounded down, so that 100 means all of it."""
        if value is None or not math.isfinite(value * 10):
            return NONE
        return self.number(math.floor(value * 10 + 1e-6) / 10, 1)

    def clock(self, moment: datetime | None, now: datetime) -> str:
        """`16:42`, with the date if it is not today's."""
        if moment is None:
            return NONE
        local, today = self._local(moment), self._local(now)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        if abs(moment - now) > ANOTHER_YEAR:
            day = f"{local:%d/%m}/" if self.lang == "fr" else f"{local:%b} {local.day}, "
            return f"{day}{local.year}"
        return f"{local:%d/%m %H:%M}" if self.lang == "fr" else f"{local:%b} {local.day} {local:%H:%M}"

    def exactly(self, moment: datetime) -> str:
        """`16:42:07`."""
        return f"{self._local(moment):%H:%M:%S}"

    def _local(self, moment: datetime) -> datetime:
        """In the plant's time zone; at both ends of the calendar, where that time does not exist, in UTC."""
        try:
            return moment.astimezone(self._zone)
        except (OverflowError, ValueError):
            return moment.astimezone(UTC)

    def duration(self, seconds: float | None) -> str:
        """`45 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`."""
        if seconds is None or not math.isfinite(seconds):
            return NONE
        whole = max(0, int(seconds))
        minutes, hours, days = whole // 60, whole // 3600, whole // 86400
        if days:
            return f"{days} {self.t('day')} {hours % 24} h"
        if hours:
            return f"{hours} h {minutes % 60:02d} min"
        if minutes:
            return f"{minutes} min {whole % 60:02d} s"
        return f"{whole} s"
