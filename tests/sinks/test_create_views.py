"""Views made anew: over other tables, with other columns."""

import psycopg
import pytest

from sinks.schema import SchemaError, check, migrate
from sinks.sums import sum_all
from sinks.views import VIEWS, create_views
from tests.services import Services
from tests.sinks.windows import Rows


@pytest.fixture
def rows(services: Services) -> Rows:
    return Rows(services.migrated_database())


def test_views_follow_the_tables_that_take_the_place_of_others(rows: Rows):
    """After tables were exchanged, figures are the new ones, the old can go, and readers may still read."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    rows.query(
        "CREATE ROLE grafana_of_a_test",
        'GRANT SELECT ON "KPIDay" TO grafana_of_a_test',
        'CREATE VIEW somebodys AS SELECT "pieces" FROM "KPIDay"',
    )
    tables = ("KPISnapshot", "KPISum", "Downtime", "ProductionOrder")
    with psycopg.connect(rows.url) as connection:
        connection.execute("CREATE SCHEMA generation_1")
        connection.execute("CREATE SCHEMA generation_2")
        for table in tables:
            connection.execute(f'CREATE TABLE generation_2."{table}" (LIKE "{table}" INCLUDING ALL)')
        connection.execute('INSERT INTO generation_2."KPISnapshot" SELECT * FROM "KPISnapshot" LIMIT 5')
        sum_all(connection, "generation_2")
        for table in tables:
            connection.execute(f'ALTER TABLE "{table}" SET SCHEMA generation_1')
            connection.execute(f'ALTER TABLE generation_2."{table}" SET SCHEMA public')
        create_views(connection)
        connection.execute("DROP SCHEMA generation_1 CASCADE")
    assert [row["pieces"] for row in rows.view("KPIDay")] == [10]
    assert rows.query("SELECT pieces FROM kpi_line('-infinity', 'infinity')") == [{"pieces": 10}]
    assert rows.query("SELECT * FROM somebodys") == [{"pieces": 10}]
    assert rows.query('SELECT * FROM "StopPareto"') == []
    assert rows.query("""SELECT has_table_privilege('grafana_of_a_test', '"KPIDay"', 'SELECT') AS may""") == [
        {"may": True}
    ]
    rows.query("DROP OWNED BY grafana_of_a_test", "DROP ROLE grafana_of_a_test")


def test_views_can_be_made_in_another_schema(rows: Rows):
    """They read the tables there, and the search path is afterwards as before."""
    with psycopg.connect(rows.url) as connection:
        connection.execute("CREATE SCHEMA aside")
        for table in ("KPISnapshot", "KPISum", "Downtime", "ProductionOrder"):
            connection.execute(f'CREATE TABLE aside."{table}" (LIKE "{table}")')
        create_views(connection, "aside")
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    assert rows.query('SELECT * FROM aside."KPIDay"') == []
    assert len(rows.view("KPIDay")) == 1


def test_a_view_whose_columns_change_is_made_anew(rows: Rows):
    """Views and a function of another release are replaced."""
    rows.query(
        'DROP VIEW "KPIDay", "StopPareto"',
        "DROP FUNCTION stop_pareto",
        'CREATE VIEW "KPIDay" AS SELECT 1 AS other',
        "CREATE FUNCTION stop_pareto(since timestamptz, until timestamptz) RETURNS TABLE (other integer) "
        "LANGUAGE sql AS 'SELECT 1'",
        """CREATE VIEW "StopPareto" AS SELECT * FROM stop_pareto('-infinity', 'infinity')""",
    )
    migrate(rows.url)
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    assert [row["trs"] for row in rows.view("KPIDay")] == [100]
    assert rows.query('SELECT * FROM "StopPareto"') == []


def test_somebodys_view_that_would_break_is_named(rows: Rows):
    """A view of others is never dropped without notice."""
    rows.query(
        'DROP VIEW "KPIDay"',
        'CREATE VIEW "KPIDay" AS SELECT 1 AS other',
        'CREATE VIEW somebodys AS SELECT other FROM "KPIDay"',
    )
    with pytest.raises(SchemaError, match="somebodys"):
        migrate(rows.url)


def test_a_view_that_is_missing_is_noticed(rows: Rows):
    """The doctor reports it, and roles refuse to start."""
    assert check(rows.url) is None
    rows.query('DROP VIEW "KPIWeek"')
    assert '"KPIWeek"' in (check(rows.url) or "")
    assert "run linepulse setup" in (check(rows.url) or "")


def test_every_view_can_be_read(rows: Rows):
    """Of an empty plant, too."""
    for view in VIEWS:
        assert rows.query(f'SELECT * FROM "{view}"') == []
