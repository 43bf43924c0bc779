"""The schema: made, repeated, refused."""

import psycopg
import pytest

from schemas.errors import Unavailable
from sinks.migrations import HERE
from sinks.schema import SchemaError, check, migrate
from sinks.tables import ALL_TABLES
from tests.services import Services

pytestmark = [pytest.mark.quick, pytest.mark.both]

GUIDE = (
    'SELECT * FROM "ProductionData" ORDER BY timestamp DESC LIMIT 10;',
    """SELECT "orderNumber", produced, quantity, status FROM "ProductionOrder" WHERE status = 'running';""",
)


def described(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Columns, indexes and storage options of our tables, as PostgreSQL tells them."""
    with psycopg.connect(url) as connection:
        return {
            what: connection.execute(query, [list(ALL_TABLES)]).fetchall()
            for what, query in {
                "columns": """
                    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                           pg_get_expr(d.adbin, d.adrelid)
                    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                    WHERE c.relname = ANY(%s) AND a.attnum > 0 ORDER BY c.relname, a.attnum""",
                "indexes": "SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%s) ORDER BY indexname",
                "options": "SELECT relname, reloptions FROM pg_class WHERE relname = ANY(%s) ORDER BY 1",
            }.items()
        }


def test_the_migrated_schema_is_the_one_that_people_read(services: Services):
    """`docs/schema.sql` run on an empty database gives what all revisions together give."""
    migrated, fresh = services.database(), services.database()
    migrate(migrated)
    with psycopg.connect(fresh) as connection:
        connection.execute((HERE.parent.parent / "docs" / "schema.sql").read_text("utf-8"))
    assert described(migrated) == described(fresh)
    assert {row[0] for row in described(migrated)["columns"]} == set(ALL_TABLES)


def test_the_guides_queries_run_verbatim(services: Services):
    """What the guide's reader types in psql finds its tables and columns."""
    url = services.database()
    migrate(url)
    with psycopg.connect(url) as connection:
        for query in GUIDE:
            assert connection.execute(query).fetchall() == []


def test_a_second_migration_changes_nothing(services: Services):
    """`setup` is safe to repeat."""
    url = services.database()
    migrate(url)
    before = described(url)
    migrate(url)
    assert described(url) == before
    assert check(url) is None


def test_a_missing_database_is_made(services: Services):
    """Nobody has to run createdb."""
    url = f"{services.database()}_new"
    assert "does not exist" in (check(url) or "")
    migrate(url)
    assert check(url) is None


def test_a_database_without_the_schema_is_named(services: Services):
    """A role that finds no tables says what to run."""
    assert "run linepulse setup" in (check(services.database()) or "")


def test_tables_of_others_are_left_alone(services: Services):
    """Another application's tables of our names are named, and nothing is changed."""
    url = services.database()
    with psycopg.connect(url) as connection:
        connection.execute('CREATE TABLE "Alert" (x integer)')
        connection.execute('CREATE VIEW "Downtime" AS SELECT 1 AS x')
        connection.execute("CREATE TABLE alembic_version (version_num text)")
    with pytest.raises(SchemaError, match='"Alert", "Downtime"'):
        migrate(url)
    assert '"Alert", "Downtime"' in (check(url) or "")
    with psycopg.connect(url) as connection:
        assert connection.execute("""SELECT to_regclass('"ProductionData"')""").fetchone() == (None,)


def test_a_database_of_a_later_release_is_named(services: Services):
    """An older linepulse does not write to a newer schema."""
    url = services.database()
    migrate(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE linepulse_schema SET version_num = '9999_later'")
    assert "9999_later" in (check(url) or "")
    with pytest.raises(SchemaError, match="9999_later"):
        migrate(url)


def test_a_server_that_is_away_is_not_a_missing_schema():
    """No server is a reason to wait, not to run setup."""
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        check("postgresql://postgres@127.0.0.1:1/dashboard_kpi")
