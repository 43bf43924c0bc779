"""Sums of windows by hour, and the time zone that says where a day begins."""

import tomllib

from alembic import op

from sinks.migrations import run_sql

revision = "0004_sums"
down_revision = "0003_time_states"


def upgrade() -> None:
    """Add the table, and sum what is there."""
    found = op.get_bind().exec_driver_sql('SELECT "plant" FROM "Generation" WHERE "live"').scalar()
    zone = tomllib.loads(found or "").get("plant", {}).get("time_zone", "Europe/Paris")
    op.get_bind().exec_driver_sql("SELECT set_config('linepulse.time_zone', %s, true)", (zone,))
    run_sql(revision)
