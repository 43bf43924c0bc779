"""One rebuild at a time: two would write the same shadow tables and the same changelog."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from linepulse.errors import UserError
from linepulse.sql import statement
from runtime.settings import without_password
from schemas.errors import Unavailable


@contextmanager
def only_rebuild(database_url: str) -> Iterator[None]:
    """While this lasts, no other rebuild of this database begins. It ends with the process at the latest.

    Raises:
        UserError: another one is under way.
        Unavailable: PostgreSQL does not answer.
    """
    try:
        connection = psycopg.connect(database_url, autocommit=True, application_name="linepulse-rebuild")
    except psycopg.OperationalError as error:
        why = " ".join(str(error).split())
        raise Unavailable(f"DATABASE_URL: {without_password(database_url)}: {why}") from error
    with connection:
        row = connection.execute(statement("take_rebuild_turn")).fetchone()
        if row is None or not row[0]:
            raise UserError(
                f"DATABASE_URL: {without_password(database_url)}: another linepulse rebuild is under way;"
                " let it end first"
            )
        yield
