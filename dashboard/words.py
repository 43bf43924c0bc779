"""What people read, in their language and by the plant's clock: texts, numbers, times, durations."""

import math
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from runtime.catalogue import tell

LANGUAGES = ("fr", "en")
NARROW_SPACE = "\u202f"
NONE = "–"


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
        return tell(self.lang, f"page.{key}", **facts)

    def code(self, group: str, code: str | None) -> str:
        """The text of a code of ours; what is not one of ours, a machine's own reason, stands as it is."""
        if code is None:
            return NONE
        try:
            return self.t(f"{group}_{code}")
        except KeyError:
            return code

    def alert(self, type_: str, value: float | None, threshold: float | None, message: str) -> str:
        """What an alert says, in this language; the row's own message where we have no words for its type."""
        try:
            return tell(self.lang, f"alerts.{type_}", value=value or 0.0, threshold=threshold or 0.0)
        except KeyError:
            return message

    def number(self, value: float | None, digits: int = 0) -> str:
        """`5213` -> `5 213` or `5,213`, rounded."""
        if value is None:
            return NONE
        text = f"{value:,.{digits}f}"
        if self.lang == "fr":
            return text.replace(",", NARROW_SPACE).replace(".", ",")
        return text

    def percent(self, value: float | None) -> str:
        """`82.36` -> `82,3`: floored, so that 100 means all of it."""
        return NONE if value is None else self.number(math.floor(value * 10 + 1e-6) / 10, 1)

    def clock(self, moment: datetime | None, now: datetime) -> str:
        """`16:42`, with the day where it is another one."""
        if moment is None:
            return NONE
        local = moment.astimezone(self._zone)
        if local.date() == now.astimezone(self._zone).date():
            return f"{local:%H:%M}"
        return f"{local:%d/%m %H:%M}" if self.lang == "fr" else f"{local:%b} {local.day} {local:%H:%M}"

    def exactly(self, moment: datetime) -> str:
        """`16:42:07`."""
        return f"{moment.astimezone(self._zone):%H:%M:%S}"

    def duration(self, seconds: float | None) -> str:
        """`45 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`."""
        if seconds is None:
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
