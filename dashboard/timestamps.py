"""PostgreSQL's points in time, which go beyond Python's last year, 9999."""

from datetime import UTC, datetime

import psycopg
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader

LATEST = datetime.max.replace(tzinfo=UTC)
EARLIEST = datetime.min.replace(tzinfo=UTC)


class AnyTimestamp(TimestamptzLoader):
    """Loads a `timestamptz`; one that no datetime can hold becomes the earliest or the latest.

    Otherwise one such row (the year 10000, `infinity`) would make the page unreadable.
    """

    def load(self, data: Buffer) -> datetime:
        """The point in time, in UTC."""
        try:
            return super().load(data)
        except (psycopg.DataError, ValueError, OverflowError):
            text = bytes(data)
            return EARLIEST if text.startswith(b"-") or text.endswith(b"BC") else LATEST
