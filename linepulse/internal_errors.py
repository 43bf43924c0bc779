"""The part of `linepulse doctor` about records on which linepulse itself failed."""

import psycopg

from runtime.sql import statement


def internal_errors(database_url: str, days: int) -> str | None:
    """A sentence if the last `days` days have dead letters with the reason `internal`, else None."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(statement("doctor.internal_errors"), {"days": days}).fetchone()
    assert row is not None
    count, last, line = row
    if not count:
        return None
    return (
        f"{count} dead letters of the last {days} days (internal), the latest of {last:%Y-%m-%d %H:%M %Z},"
        f" one of {line}, show a defect of linepulse: their messages are kept, without effect. See"
        " linepulse dead-letters list --reason internal, and report what the log of linepulse streams says;"
        " once it is mended, linepulse rebuild applies them"
    )
