"""The views: figures of hours, shifts, days, weeks, orders, products, lines and the plant; causes of stops.

Each stands in a file of its own, over "KPISum"; `sums.sql` and `figures.sql` are what the roll-ups share.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import sql

from sinks.place import standing_in

ROLL_UPS = ("KPIHour", "KPIShift", "KPIDay", "KPIWeek", "KPIOrder", "KPIProduct", "KPILine", "KPIPlant")
PARETO = "StopPareto"
VIEWS = (*ROLL_UPS, PARETO)
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


def roll_up(view: str) -> sql.Composed:
    """The query of a roll-up."""
    return figures_of(sql.SQL(_text(view)).format(sums=sql.SQL(_text("sums"))))


def figures_of(sums: sql.Composable) -> sql.Composed:
    """A query of the rows of `sums`, a query itself, with their figures beside them."""
    return sql.SQL(_text("figures")).format(sums=sums)


def _definitions() -> Iterator[tuple[sql.Composed, sql.Composed]]:
    """How to make each, and how to drop it with what stands on it here."""
    drop = sql.SQL("DROP VIEW IF EXISTS {}")
    create = sql.SQL("CREATE OR REPLACE VIEW {} AS {}")
    pareto = sql.Identifier(PARETO)
    for view in ROLL_UPS:
        yield create.format(sql.Identifier(view), roll_up(view)), drop.format(sql.Identifier(view))
    yield (
        sql.Composed([sql.SQL(_text("stop_pareto"))]),
        drop.format(pareto) + sql.SQL("; DROP FUNCTION IF EXISTS stop_pareto"),
    )
    yield create.format(pareto, sql.SQL(_text(PARETO))), drop.format(pareto)


def _text(name: str) -> LiteralString:
    return (files(__package__) / f"{name}.sql").read_text("utf-8")
