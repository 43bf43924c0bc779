"""The database's schema: bring it up to date (`migrate`), or say what is wrong with it (`check`)."""

from urllib.parse import urlsplit

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from runtime.sql import composed, statement
from runtime.text import one_line
from schemas.errors import Unavailable
from sinks import migrations
from sinks.tables import ALL_TABLES
from sinks.views import FUNCTIONS, VIEWS, create_views

ALWAYS_THERE = ("postgres", "template1")  # databases to ask whether ours exists
CONNECT_SECONDS = 10


class SchemaError(Exception):
    """The database can't be used as it is; the text says why, and what to do."""


def migrate(database_url: str) -> None:
    """Create the database if it is missing, and bring its schema up to date. Safe to repeat, and to run twice
    at the same time.

    Raises:
        SchemaError: it has tables of our names that are not ours, or the schema of a later release.
        Unavailable: PostgreSQL does not answer, or refuses the connection.
    """
    _create_database(database_url)
    try:
        _upgrade(database_url)
    except psycopg.OperationalError as error:
        raise Unavailable(_sentence(database_url, error)) from error


def check(database_url: str) -> str | None:
    """None if the schema is up to date, else a sentence that says what is wrong with it.

    Raises:
        Unavailable: PostgreSQL does not answer, or refuses the connection.
    """
    if not _exists(database_url):
        return f"{_where(database_url)} does not exist; run linepulse setup"
    with _connect(database_url) as connection:
        found, foreign = _revision(connection), _foreign_tables(connection)
        present = {row[0] for row in connection.execute(statement("schema.tables_named"), [list(VIEWS)])}
        present |= {
            row[0] for row in connection.execute(statement("schema.functions_named"), [list(FUNCTIONS)])
        }
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    if foreign:
        return _not_ours(database_url, foreign)
    if found == head:
        missing = ", ".join(f'"{name}"' for name in (*VIEWS, *FUNCTIONS) if name not in present)
        return f"{_where(database_url)} lacks {missing}; run linepulse setup" if missing else None
    if found is None:
        return f"{_where(database_url)} has no tables yet; run linepulse setup"
    return f"{_where(database_url)} has schema {found}, expected {head}; run linepulse setup"


def _upgrade(database_url: str) -> None:
    # The connection is psycopg's own, so that the URL means the same here as everywhere else.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(database_url, autocommit=False),
        poolclass=NullPool,
    )
    with engine.begin() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        raw.execute(statement("schema.lock"))  # a second `setup` waits here, and finds nothing left to do
        foreign = _foreign_tables(raw)
        if foreign:
            raise SchemaError(_not_ours(database_url, foreign))
        config = _alembic()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:  # a revision that this release does not know
            raise SchemaError(f"{_where(database_url)}: {error}; is linepulse up to date?") from error
        try:
            create_views(raw)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise SchemaError(_sentence(database_url, error)) from error


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE).replace("%", "%%"))
    return config


def _revision(connection: psycopg.Connection) -> str | None:
    if not connection.execute(statement("schema.tables_named"), [[migrations.VERSION_TABLE]]).fetchall():
        return None
    row = connection.execute(statement("schema.revision")).fetchone()
    return None if row is None else str(row[0])


def _foreign_tables(connection: psycopg.Connection) -> list[str]:
    """Tables of our names in a database that `migrate` has never seen."""
    if _revision(connection) is not None:
        return []
    return [row[0] for row in connection.execute(statement("schema.tables_named"), [[*ALL_TABLES, *VIEWS]])]


def _not_ours(database_url: str, foreign: list[str]) -> str:
    named = ", ".join(f'"{table}"' for table in foreign)
    return (
        f"{_where(database_url)} already has {named}, not made by linepulse; "
        "name another database, or move them away, then run linepulse setup"
    )


def _create_database(database_url: str) -> None:
    if _exists(database_url):
        return
    with _connect_elsewhere(database_url) as connection:
        create = composed("schema.create_database", database=_database(database_url))
        try:
            connection.execute(create)
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process created it meanwhile
        except psycopg.Error as error:
            raise SchemaError(_sentence(database_url, error)) from error


def _exists(database_url: str) -> bool:
    """Whether the database exists: libpq distinguishes "no such database" from "no server" only in prose."""
    try:
        _connect(database_url).close()
    except Unavailable:
        with _connect_elsewhere(database_url) as connection:
            if connection.execute(statement("schema.database_named"), [_database(database_url)]).fetchone():
                raise
        return False
    return True


def _connect_elsewhere(database_url: str) -> psycopg.Connection:
    for database in ALWAYS_THERE:
        try:
            return _connect(database_url, database)
        except Unavailable as error:
            failed = error
    raise failed


def _connect(
    database_url: str, database: str | None = None, *, autocommit: bool = True
) -> psycopg.Connection:
    """Connect to the URL's database, or to another one of the same server."""
    try:
        return psycopg.connect(
            database_url,
            dbname=database or _database(database_url),
            autocommit=autocommit,
            connect_timeout=CONNECT_SECONDS,
        )
    except psycopg.OperationalError as error:
        raise Unavailable(_sentence(database_url, error)) from error


def _database(database_url: str) -> str:
    name = psycopg.conninfo.conninfo_to_dict(database_url).get("dbname")
    return str(name or urlsplit(database_url).username)


def _where(database_url: str) -> str:
    return f'DATABASE_URL: database "{_database(database_url)}"'


def _sentence(database_url: str, error: psycopg.Error) -> str:
    why = one_line(error)
    return f"{_where(database_url)}: {why}"
