"""The rules in force: the newest record of `production.rules`, and the live row of `"Generation"`."""

from datetime import UTC, datetime

import msgspec
import psycopg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from plant.rules import RulesRecord
from runtime.errors import UserError
from runtime.kafka import newest_rules
from runtime.settings import Settings, without_password
from runtime.sql import statement
from runtime.text import one_line
from schemas.errors import Unavailable
from schemas.instant import ms_of, text_of

CONNECT_S = 10


def rules_in_database(database_url: str) -> RulesRecord | None:
    """The live generation, None where there is none yet.

    Raises:
        Unavailable: PostgreSQL does not answer, or does not let us in.
        UserError: the database does not have our tables.
    """
    where = f"DATABASE_URL: {without_password(database_url)}"
    try:
        with psycopg.connect(database_url, connect_timeout=CONNECT_S) as connection:
            row = connection.execute(statement("generation.live_rules")).fetchone()
    except psycopg.errors.UndefinedTable:
        raise UserError(f"{where}: has no tables of linepulse; run linepulse setup") from None
    except psycopg.OperationalError as error:
        why = one_line(error)
        raise Unavailable(f"{where}: {why}; start PostgreSQL, or correct it") from error
    return None if row is None else RulesRecord(row[0], row[1], text_of(ms_of(row[2])))


async def settle_rules(settings: Settings, plant: str) -> tuple[RulesRecord, bool]:
    """Make the log and the database agree; if neither has rules, `plant` becomes generation 1.

    Returns:
        The rules in force, and whether they are new.
    Raises:
        UserError: the log and the database belong to different installations.
        Unavailable: Kafka or PostgreSQL does not answer.
    """
    logged, stored = await newest_rules(settings), rules_in_database(settings.database_url)
    if wrong := disagreement(settings, logged, stored):
        raise UserError(wrong)
    new = logged is None and stored is None
    # A swap of generations commits in the database first, and the log follows.
    force = stored or logged or RulesRecord(1, plant, text_of(ms_of(datetime.now(UTC))))
    if logged is None or logged.generation < force.generation:
        await _log(settings, force)
    if stored is None:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute(
                statement("generation.insert_first"), [force.generation, force.plant, force.created_at]
            )
    return force, new


def disagreement(settings: Settings, logged: RulesRecord | None, stored: RulesRecord | None) -> str | None:
    """Why the log and the database are not of one installation; None if they can be."""
    if logged is None or stored is None or logged.generation < stored.generation:
        return None
    if (logged.generation, logged.plant) == (stored.generation, stored.plant):
        return None
    return (
        f"DATABASE_URL: {without_password(settings.database_url)} holds rows of generation "
        f"{stored.generation}, and {settings.topics.rules} on {settings.kafka_bootstrap_servers} says "
        f"generation {logged.generation} with {'the same' if logged.plant == stored.plant else 'other'} "
        "rules: "
        "they are not of one installation; name the database or the Kafka that belong together"
    )


async def _log(settings: Settings, rules: RulesRecord) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
    )
    try:
        await producer.start()
        await producer.send_and_wait(
            settings.topics.rules, msgspec.json.encode(rules), key=str(rules.generation).encode()
        )
    except KafkaError as error:
        raise UserError(
            f"KAFKA_BOOTSTRAP_SERVERS: {settings.kafka_bootstrap_servers} refused the rules ({error!r}); "
            "the embedded broker needs LINEPULSE_KAFKA_IDEMPOTENCE=false"
        ) from None
    finally:
        await producer.stop()
