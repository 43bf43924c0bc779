"""The views: figures of hours, shifts, days, weeks, orders, products, lines and the plant; causes of stops.

Each view has a file of its own. The roll-ups read "KPISum" and share `sinks.sums.sums` and `figures.sql`.
A view over all time comes with a function that gives the same for a period.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import sql

from sinks.search_path import search_path
from sinks.sums import of_hours, of_windows, sums

ROLL_UPS = ("KPIHour", "KPIShift", "KPIDay", "KPIWeek", "KPIOrder", "KPIProduct", "KPILine", "KPIPlant")
PARETO = "StopPareto"
VIEWS = (*ROLL_UPS, PARETO)
OF_PERIOD = {"KPIProduct": "kpi_product", "KPILine": "kpi_line"}  # functions of [since, until)
ALL_HOURS = sql.SQL("true")
HOURS_OF_PERIOD = sql.SQL('"hour" >= since AND "hour" < until')
FUNCTIONS = (*OF_PERIOD.values(), "stop_pareto")
OTHER_COLUMNS = (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition)


def create_views(connection: psycopg.Connection, schema: str | None = None) -> None:
    """Create or replace every view in `schema` (default: the current one), over the tables there.

    To be called whenever tables of these names have replaced others. A view whose columns are unchanged is
    replaced in place: views that others built on it, and privileges, remain.

    Raises:
        psycopg.errors.DependentObjectsStillExist: a view's columns changed, and a view of others depends on
            it.
    """
    with connection.transaction(), search_path(connection, schema):
        for create, drop in _definitions():
            try:
                with connection.transaction():
                    connection.execute(create)
            except OTHER_COLUMNS:
                connection.execute(drop)
                connection.execute(create)


def roll_up(view: str, hours: sql.SQL = ALL_HOURS) -> sql.Composed:
    """The query of a roll-up; `hours`: the condition on the hours that it covers."""
    parts = {"summed_hours": of_hours("k"), "summed_windows": of_windows("w")}
    return figures_of(sql.SQL(_text(view)).format(sums=sums(), hours=hours, **parts))


def figures_of(sums: sql.Composable) -> sql.Composed:
    """A query of the rows of `sums`, which is a query itself, with their figures as further columns."""
    return sql.SQL(_text("figures")).format(sums=sums)


def _definitions() -> Iterator[tuple[sql.Composed, sql.Composed]]:
    """The statements that create each view or function, and drop it together with what depends on it here."""
    view = sql.SQL("CREATE OR REPLACE VIEW {} AS {}")
    for name in ROLL_UPS:
        create, drop = view.format(sql.Identifier(name), roll_up(name)), _drop_view(name)
        yield create, _drop_function(OF_PERIOD[name]) + drop if name in OF_PERIOD else drop
    for name, function in OF_PERIOD.items():
        create = sql.SQL(_text("of_period")).format(
            function=sql.Identifier(function),
            view=sql.Identifier(name),
            rows=roll_up(name, HOURS_OF_PERIOD),
        )
        yield create, _drop_function(function)
    pareto = sql.Composed([sql.SQL(_text("stop_pareto"))])
    yield pareto, _drop_view(PARETO) + _drop_function("stop_pareto")
    yield view.format(sql.Identifier(PARETO), sql.SQL(_text(PARETO))), _drop_view(PARETO)


def _drop_view(name: str) -> sql.Composed:
    return sql.SQL("DROP VIEW IF EXISTS {};").format(sql.Identifier(name))


def _drop_function(name: str) -> sql.Composed:
    return sql.SQL("DROP FUNCTION IF EXISTS {}(timestamptz, timestamptz);").format(sql.Identifier(name))


def _text(name: str) -> LiteralString:
    return (files(__package__) / f"{name}.sql").read_text("utf-8")
