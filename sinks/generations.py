"""The rules that the rows are made by: which generation of them is live."""

import psycopg

from schemas.errors import Unavailable
from sinks.sql import statement

FIRST = 1


def begin_first(database_url: str, plant: str) -> None:
    """Make generation 1, with the content of `plant.toml`, live in a new database; safe to repeat.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            connection.execute(statement("first_generation"), [FIRST, plant])
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL: {error}") from error


def live(database_url: str) -> int | None:
    """The generation that the rows are of; None before `setup`.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            row = connection.execute(statement("live_generation")).fetchone()
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL: {error}") from error
    return None if row is None else int(row[0])
