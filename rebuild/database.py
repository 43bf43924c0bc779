"""Connections of a rebuild: statements may take long, but a silent server is given up."""

import psycopg
from psycopg.conninfo import make_conninfo

from runtime.settings import without_password
from runtime.text import one_line
from schemas.errors import Unavailable

APPLICATION = "linepulse-rebuild"
CLIENT_SIDE = {
    "application_name": APPLICATION,
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
OPTIONS = "-c timezone=UTC -c statement_timeout=0"  # override what the database sets for other users


def connect(database_url: str) -> psycopg.Connection:
    """A connection whose times are in UTC.

    Raises:
        Unavailable: PostgreSQL does not answer, or refuses the connection.
    """
    try:
        return psycopg.connect(make_conninfo(database_url, options=OPTIONS, **CLIENT_SIDE))
    except psycopg.OperationalError as error:
        why = one_line(error)
        raise Unavailable(
            f"DATABASE_URL: {without_password(database_url)}: {why}; start PostgreSQL, or correct it"
        ) from error


def away(error: psycopg.Error) -> Unavailable:
    """The error for people when a connection broke."""
    why = one_line(error)
    return Unavailable(
        f"DATABASE_URL: PostgreSQL stopped answering ({why}); start it, and run the command again:"
        " it goes on from there"
    )
