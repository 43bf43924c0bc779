"""The views: figures of hours, shifts, days, weeks, orders, products, lines and the plant; causes of stops.

Each stands in a file of its own, over "KPISum"; `sinks.sums.sums` and `figures.sql` are what roll-ups share.
Beside those that are over all time stands a function that gives the same of a period.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import sql

from sinks.place import standing_in
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
    """Make every view over the tables that stand in `schema` (default: the current one), in it.

    To be called whenever tables of these names have taken the place of others. A view whose columns are what
    they were is replaced: what others built on it, and who may read it, stay.

    Raises:
        psycopg.errors.DependentObjectsStillExist: its columns changed, and somebody's own view stands on it.
    """
    with connection.transaction(), standing_in(connection, schema):
        for create, drop in _definitions():
            try:
                with connection.transaction():
                    connection.execute(create)
            except OTHER_COLUMNS:
                connection.execute(drop)
                connection.execute(create)


def roll_up(view: str, hours: sql.SQL = ALL_HOURS) -> sql.Composed:
    """The query of a roll-up; `hours`: the condition of those that it is over."""
    parts = {"summed_hours": of_hours("k"), "summed_windows": of_windows("w")}
    return figures_of(sql.SQL(_text(view)).format(sums=sums(), hours=hours, **parts))


def figures_of(sums: sql.Composable) -> sql.Composed:
    """A query of the rows of `sums`, a query itself, with their figures beside them."""
    return sql.SQL(_text("figures")).format(sums=sums)


def _definitions() -> Iterator[tuple[sql.Composed, sql.Composed]]:
    """How to make each, and how to drop it with what stands on it here."""
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
