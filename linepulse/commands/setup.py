"""`linepulse setup`: topics, database, migrations, the first generation of rules."""

import asyncio
import logging
import sys

from plant.rules import plant_text, read_plant
from runtime.errors import UserError
from runtime.narrator import Narrator, quiet_libraries
from runtime.rules_in_force import settle_rules
from runtime.settings import Settings, without_password
from runtime.topics import TopicsError, create_topics
from schemas.errors import Unavailable


def setup() -> None:
    """Make topics, database, tables and the first rules. Safe to repeat.

    Example: linepulse setup
    """
    settings = Settings.read()
    quiet_libraries(logging.CRITICAL)  # our own one-line error is clearer
    install(settings, Narrator(settings.lang, settings.log, "setup", out=sys.stdout))


def install(settings: Settings, narrator: Narrator) -> None:
    """Do it, and report each part that is done.

    Raises:
        PlantError: `plant.toml` is wrong; nothing was done.
        UserError: a server does not answer, or holds something that is not ours.
    """
    plant = plant_text(settings.plant)
    read_plant(plant, str(settings.plant))
    prepare_database(settings.database_url)
    narrator.say("setup.database", url=without_password(settings.database_url))
    try:
        made = asyncio.run(create_topics(settings))
    except TopicsError as error:
        raise UserError(str(error)) from None
    narrator.say("setup.topics", servers=settings.kafka_bootstrap_servers, made=len(made))
    force, new = asyncio.run(settle_rules(settings, plant))
    narrator.say("setup.rules", generation=force.generation)
    if not new and force.plant != plant:
        narrator.say("setup.other_rules", file=settings.plant, generation=force.generation)


def prepare_database(database_url: str) -> None:
    """Create the database and bring its schema up to date.

    Raises:
        UserError: PostgreSQL refuses, or tables with our names are not ours.
    """
    from sinks.schema import SchemaError, migrate  # noqa: PLC0415 - slow to import

    try:
        migrate(database_url)
    except SchemaError as error:
        raise UserError(str(error)) from None
    except Unavailable as error:
        raise UserError(f"{error}; start PostgreSQL, or correct DATABASE_URL") from None
