"""Points in time: whole milliseconds since 1970 inside, RFC 3339 text in UTC at every boundary."""

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATEST = 253_402_300_799_999  # the last millisecond of the year 9999, where Python's calendar ends
END = 32_503_680_000_000  # the beginning of the year 3000: no message and no record may be later
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REST = tuple(f"{ms:03d}Z" for ms in range(SECOND))


@lru_cache(maxsize=1024)
def _to_the_minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


@lru_cache(maxsize=1024)
def _to_the_second(second: int) -> str:
    return f"{_to_the_minute(second // 60)}{second % 60:02d}."


def text_of(ms: int) -> str:
    """`1737123456789` -> `2025-01-17T14:17:36.789Z`; a time after the year 9999 becomes the end of it."""
    second, rest = divmod(ms if ms < LATEST else LATEST, SECOND)
    return _to_the_second(second) + _REST[rest]


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime; fractions of one are cut off."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
