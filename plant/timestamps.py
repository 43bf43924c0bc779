"""Reads a message's `timestamp`: ISO 8601, or seconds or milliseconds since 1970."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.errors import Poison
from schemas.instant import END, ms_of
from schemas.refusals import shown

_EPOCH_IN_MS = 1e11  # from here on a number is milliseconds: as seconds, it would be past the year 5000


def event_time(
    timestamp: str | float | None, time_zone: str, field: str = "timestamp", near: int | None = None
) -> int | None:
    """A payload's `timestamp` (or another field) in ms since 1970, None where there is none.

    ISO 8601 (without an offset: in the plant's time zone), or seconds or milliseconds since 1970. When the
    clocks are set back, a clock time that comes twice is the one closer to `near` (ms), else the first.

    A machine's `timestamp` may be of any year: one that can't be believed is only shown. The other fields are
    times that people give, and must lie in the years 1970 to 2999.

    Raises:
        Poison: text that is no point in time, or another field's time out of range.
    """
    if timestamp is None:
        return None
    if isinstance(timestamp, str):
        at = _iso(timestamp, time_zone, field, near)
    else:
        at = int(timestamp if timestamp >= _EPOCH_IN_MS else timestamp * 1000)
    if field != "timestamp" and not 0 <= at < END:
        raise Poison("bad_field", field=field, value=shown(timestamp))
    return at


def _iso(text: str, time_zone: str, field: str, near: int | None) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return ms_of(moment)
        moment = moment.replace(tzinfo=_zone(time_zone))
        first = ms_of(moment)
        if near is None:
            return first
        second = ms_of(moment.replace(fold=1))
        return second if first < second and near - first > second - near else first
    except (ValueError, OverflowError):
        raise Poison("bad_field", field=field, value=shown(text)) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
