"""`linepulse setup`: makes what is missing, repeats without harm, touches nothing that is not ours."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from aiokafka.admin import NewTopic

from runtime.kafka import newest_rules
from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings
from runtime.topics import admin, partitions_of, plan
from tests.commands import environment, linepulse
from tests.services import Services

pytestmark = pytest.mark.both


def topics_there(settings: Settings) -> dict[str, int]:
    async def ask() -> dict[str, int]:
        async with admin(settings) as client:
            return await partitions_of(client, [topic.name for topic in plan(settings)])

    return asyncio.run(ask())


def test_setup_makes_all_and_repeats_without_harm(services: Services) -> None:
    """Twice is like once: eight topics, the tables, generation 1 of the rules in log and database."""
    settings = services.settings(topics=False)
    for made in ("8", "0"):
        done = linepulse(environment(settings), "setup")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"({made} créés)" in done.stdout
    assert topics_there(settings) == {topic.name: topic.partitions for topic in plan(settings)}
    logged = asyncio.run(newest_rules(settings))
    assert logged is not None
    assert logged == rules_in_database(settings.database_url)
    assert (logged.generation, logged.plant) == (1, "")


def test_tables_that_are_not_ours_are_refused_and_named(services: Services) -> None:
    """A database with a table of our name that we did not make stays as it is; no topic is made."""
    settings = services.settings(topics=False)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute('CREATE TABLE "Alert" (mine text)')
    refused = linepulse(environment(settings), "setup")
    assert refused.returncode == 2
    assert '"Alert"' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert topics_there(settings) == {}
    with psycopg.connect(settings.database_url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        assert tables.fetchall() == [("Alert",)]


def test_a_wrong_plant_file_is_refused_before_anything_is_made(services: Services, tmp_path: Path) -> None:
    """The key, its value and what is expected; no topic, no table."""
    plant = tmp_path / "plant.toml"
    plant.write_text("[line]\ntarget_rate = -5\n")
    settings = services.settings(topics=False, plant=plant)
    refused = linepulse(environment(settings), "setup")
    assert refused.returncode == 2
    assert "target_rate" in refused.stderr
    assert "-5" in refused.stderr
    assert topics_there(settings) == {}


def test_a_topic_with_other_partitions_is_refused(services: Services) -> None:
    """Setup does not change the partitions of a log that exists: keys would move."""
    settings = services.settings(topics=False)

    async def make_other() -> None:
        async with admin(settings) as client:
            await client.create_topics([NewTopic(settings.topics.raw, 3, 1)])

    asyncio.run(make_other())
    refused = linepulse(environment(settings), "setup")
    assert refused.returncode == 2
    assert f"topic {settings.topics.raw} has 3 partitions, 4 expected" in refused.stderr


def test_a_new_database_takes_the_rules_of_its_log(services: Services, tmp_path: Path) -> None:
    """The log's rules are in force, not those of a plant file that has changed since; setup says so."""
    plant = tmp_path / "plant.toml"
    plant.write_text("[line]\ntarget_rate = 100\n")
    settings = services.settings(topics=False, plant=plant)
    assert linepulse(environment(settings), "setup").returncode == 0
    plant.write_text("[line]\ntarget_rate = 200\n")
    fresh = environment(settings, DATABASE_URL=services.database())
    done = linepulse(fresh, "setup")
    assert done.returncode == 0
    assert "diffère des règles en vigueur" in done.stdout
    rules = rules_in_database(fresh["DATABASE_URL"])
    assert rules is not None
    assert "100" in rules.plant


def test_a_database_of_another_log_is_refused(services: Services, tmp_path: Path) -> None:
    """Rows of one plant and the log of another are not mixed."""
    plant = tmp_path / "plant.toml"
    plant.write_text("[line]\ntarget_rate = 100\n")
    one, other = services.settings(topics=False, plant=plant), services.settings(topics=False)
    assert linepulse(environment(one), "setup").returncode == 0
    assert linepulse(environment(other), "setup").returncode == 0
    mixed = linepulse(environment(one, DATABASE_URL=other.database_url), "setup")
    assert mixed.returncode == 2
    assert "not of one installation" in mixed.stderr


def test_a_broker_without_idempotent_producers_is_told_apart(services: Services) -> None:
    """The embedded broker refuses them: one line says which variable helps."""
    if services.kind != "embedded":
        pytest.skip("only the embedded broker has none")
    settings = services.settings(topics=False, kafka_idempotence=True)
    refused = linepulse(environment(settings), "setup")
    assert refused.returncode == 2
    assert "LINEPULSE_KAFKA_IDEMPOTENCE=false" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
