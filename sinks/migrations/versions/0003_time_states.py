"""What the standards' figures need: time states, civil day and hour, product, stops that began.

Rows that are there keep their figures: their new sums are filled in from the old ones, their day and hour by
the plant's clock as the rules in force have it. A rebuild makes them exact.
"""

import json
import tomllib

from alembic import op

from sinks.migrations import run_sql

revision = "0003_time_states"
down_revision = "0002_reasons"


def upgrade() -> None:
    """Add the columns, and fill them in."""
    found = op.get_bind().exec_driver_sql('SELECT "plant" FROM "Generation" WHERE "live"').scalar()
    plant = tomllib.loads(found or "")
    every = plant.get("line", {}).get("performance_from", "rate")
    by_line = {line: rules.get("performance_from", every) for line, rules in plant.get("lines", {}).items()}
    for name, value in {
        "time_zone": plant.get("plant", {}).get("time_zone", "Europe/Paris"),
        "performance_from": json.dumps({**by_line, "": every}),
    }.items():
        op.get_bind().exec_driver_sql("SELECT set_config(%s, %s, true)", (f"linepulse.{name}", value))
    run_sql(revision)
