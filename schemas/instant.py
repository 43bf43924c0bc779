"""Points in time: whole milliseconds since 1970 inside, RFC 3339 text in UTC at every boundary."""

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATEST = 253_402_300_799_999  # the last of the year 9999: no calendar goes further
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def _to_the_minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def text_of(ms: int) -> str:
    """`1737123456789` -> `2025-01-17T14:17:36.789Z`; what lies past the year 9999 is its end."""
    minute, rest = divmod(min(ms, LATEST), MINUTE)
    return f"{_to_the_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime; what is finer is cut off."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
