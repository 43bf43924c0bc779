"""The same log and the same rules give the rows that exist already."""

import pytest

from tests.rebuild.conftest import Replayed, differing
from tests.rebuild.story import story


@pytest.mark.quick
def test_a_rebuild_of_any_log_gives_the_live_rows(plant: Replayed) -> None:
    """Poison, late messages, silence, foreign records, a replaced bridge: not one row differs."""
    count = plant.write(story(seconds=400, seed=1))
    plant.live()
    before = plant.digests()
    printed = plant.rebuild("--dry-run")
    assert differing(printed) == {}
    assert printed["messages"] == count
    assert all(what["same"] > 0 for what in printed["tables"].values())
    assert plant.digests() == before
    assert plant.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'generation%'") == []


def test_a_row_that_is_wrong_is_told(plant: Replayed) -> None:
    """One changed by hand, one deleted, one made up: each is found, in its table."""
    plant.write(story(seconds=60, seed=2))
    plant.live()
    plant.run(
        'UPDATE "KPISnapshot" SET pieces = pieces + 1 WHERE id = (SELECT id FROM "KPISnapshot" LIMIT 1)'
    )
    plant.run('DELETE FROM "ProductionData" WHERE id = (SELECT id FROM "ProductionData" LIMIT 1)')
    plant.run("""INSERT INTO "Downtime"
        SELECT (jsonb_populate_record(d, '{"id": "6f3f1c5e-7a0b-5d0e-9c57-0d9a4be3c2a1"}')).*
        FROM "Downtime" d LIMIT 1""")
    tables = plant.rebuild("--dry-run")["tables"]
    assert tables["KPISnapshot"]["changed"] == 1
    assert tables["ProductionData"]["added"] == 1
    assert tables["Downtime"]["removed"] == 1
    assert sum(what["changed"] + what["added"] + what["removed"] for what in tables.values()) == 3
