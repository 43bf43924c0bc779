"""`linepulse rebuild` from the log to live tables, `--drop-old`, and what the doctor says on the way."""

import asyncio
from pathlib import Path

import pytest

from rebuild.table_builder import TableBuilder
from rebuild.takeover import narrow_gap
from runtime.topics import admin
from streams.changelog import changelog
from tests.commands import environment, linepulse
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import story

LIVE = 'SELECT generation FROM "Generation" WHERE live'


def findings(plant: Replayed) -> str:
    """What `linepulse doctor` prints."""
    return linepulse(environment(plant.settings), "doctor").stdout


async def topics(plant: Replayed) -> set[str]:
    """Topics that Kafka has."""
    async with admin(plant.settings) as client:
        return set(await client.list_topics())


def test_the_same_rules_go_live_without_a_row_that_differs(plant: Replayed) -> None:
    """All tables, twice; the generations before are kept until they are dropped."""
    plant.write(story(seconds=60, seed=31))
    plant.live()
    before = plant.digests()
    for generation in (2, 3):
        assert differing(plant.rebuild()) == {}
        assert plant.rows(LIVE) == [(generation,)]
        assert plant.digests() == before
        assert differing(plant.rebuild("--dry-run")) == {}
    assert plant.digests("generation_1") == plant.digests("generation_2") == before
    said = findings(plant)
    assert "✅ generation 1, before the live one, is kept" in said
    assert "✅ generation 2, before the live one, is kept" in said
    assert "Generation 1 dropped\n🗑️ Generation 2 dropped" in plant.says("--drop-old")
    assert "No generation is kept" in plant.says("--drop-old")
    assert plant.digests() == before
    assert "is kept" not in findings(plant)
    prefix = plant.settings.topic_prefix
    assert changelog(prefix, 3) in asyncio.run(topics(plant))
    assert not {changelog(prefix, 1), changelog(prefix, 2)} & asyncio.run(topics(plant))


def test_other_rules_go_live_and_the_roles_go_on(plant: Replayed, tmp_path: Path) -> None:
    """The changes that the report announced are made; roles that start afterwards continue."""
    other = tmp_path / "other.toml"
    other.write_text(RULES.replace("150", "40"))
    plant.write(story(seconds=60, seed=32))
    plant.live()
    tables = plant.rebuild("--plant", str(other))["tables"]
    assert tables["ProductionOrder"]["added"] > 0
    made = """SELECT DISTINCT quantity FROM {}."ProductionOrder" WHERE operator = 'Auto MQTT'"""
    assert plant.rows(made.format("public")) == [(40,)]
    assert plant.rows(made.format("generation_1")) == [(150,)]
    assert "rebuild --plant" in findings(plant)  # the file that settings name is not what is in force
    other_file = Replayed(plant.settings.model_copy(update={"plant": other}))
    assert "differs" not in findings(other_file)
    other_file.write(story(seconds=30, seed=33))
    other_file.live(2)
    assert differing(other_file.rebuild("--dry-run")) == {}


def test_the_doctor_knows_a_rebuild_that_was_not_finished(plant: Replayed) -> None:
    """An interrupted rebuild is a finding that says what to do; a running one is none."""
    with TableBuilder(plant.settings, RULES):
        assert "✅ rebuild to generation 2 is under way" in findings(plant)
    assert "❌ rebuild to generation 2\n   was not finished" in findings(plant)
    plant.rebuild()
    assert "rebuild to generation" not in findings(plant)


class Flooded(TableBuilder):
    """A builder for a plant that sends as much as each round reads, however many rounds there are."""

    rounds = 0

    def catch_up(self) -> int:
        """Read a round; meanwhile the log grows by as much."""
        super().catch_up()
        self.rounds += 1
        return 1_000_000


def test_a_flood_is_not_caught_up_with_for_ever(plant: Replayed) -> None:
    """Records that come faster than they are read are left to the new generation's workers."""
    with Flooded(plant.settings, RULES) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
        rebuild.finish()
    assert 1 < rebuild.rounds < 10


def test_drop_old_goes_alone(plant: Replayed) -> None:
    """It reads no log: other options have no meaning beside it."""
    done = linepulse(environment(plant.settings), "rebuild", "--drop-old", "--dry-run")
    assert done.returncode == 2
    assert "goes alone" in done.stderr


@pytest.mark.parametrize(
    ("rounds", "made"),
    [
        ([0.4], 1),  # nothing much is left
        ([60, 9, 1.5, 0.3], 4),  # each as long as what came during the one before
        ([60, 50, 40], 2),  # messages come nearly as fast as they are read
        ([60, 2, 1.9, 0.1], 3),  # a round has its price
    ],
)
def test_rounds_end_when_they_are_short_or_no_shorter(rounds: list[float], made: int) -> None:
    """Seconds that a round takes, one after the other."""
    now, left = 0.0, list(rounds)

    def catch_up() -> None:
        nonlocal now
        now += left.pop(0)

    narrow_gap(catch_up, lambda: now)
    assert len(rounds) - len(left) == made
