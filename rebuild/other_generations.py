"""Generations other than the live one: kept for comparison, or begun and not finished."""

from dataclasses import dataclass

import psycopg
from aiokafka.errors import KafkaError
from psycopg import sql

from rebuild.database import away, connect
from rebuild.seed import delete_topic
from rebuild.swap import MOVED
from runtime.errors import UserError
from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings, without_password
from runtime.sql import statement
from runtime.text import one_line
from runtime.topics import TopicsError, admin
from streams.changelog import changelog

WAIT = "5s"  # for readers of the tables to be dropped
NOT_DROPPED = (
    psycopg.errors.DependentObjectsStillExist,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.InsufficientPrivilege,
)


@dataclass(frozen=True)
class OtherGenerations:
    """The live generation, and the sizes in bytes of the older and newer ones."""

    live: int
    older: dict[int, int]
    newer: dict[int, int]
    under_way: bool  # a rebuild is running


def other_generations(database_url: str) -> OtherGenerations:
    """Read which generations PostgreSQL holds.

    Raises:
        Unavailable: PostgreSQL does not answer.
        UserError: no generation is live.
    """
    try:
        with connect(database_url) as connection:
            return _other_generations(connection, database_url)
    except psycopg.OperationalError as error:
        raise away(error) from error


async def drop_old(settings: Settings) -> list[int]:
    """Drop the tables and changelogs of all generations before the live one; return those that had tables.

    Raises:
        UserError: objects of others depend on the tables, or a reader holds them; nothing is dropped. Or the
            tables are dropped and the changelogs are not.
        Unavailable: PostgreSQL does not answer.
    """
    dropped = drop_tables(settings.database_url)
    generations = range(1, other_generations(settings.database_url).live)
    try:
        async with admin(settings) as client:
            for generation in generations:
                await delete_topic(client, changelog(settings.topic_prefix, generation))
    except (TopicsError, KafkaError) as error:
        raise UserError(f"the tables are dropped, their changelogs are not: {error}; try again") from error
    return dropped


def drop_tables(database_url: str) -> list[int]:
    """The part of `drop_old` in PostgreSQL."""
    try:
        with connect(database_url) as connection:
            connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(WAIT)))
            older = list(_other_generations(connection, database_url).older)
            for generation in older:
                _drop(connection, f"generation_{generation}")
            return older
    except NOT_DROPPED as error:
        why = one_line(error)
        raise UserError(
            f"DATABASE_URL: {without_password(database_url)}: {why}; nothing is dropped"
        ) from error
    except psycopg.OperationalError as error:
        raise away(error) from error


def _other_generations(connection: psycopg.Connection, database_url: str) -> OtherGenerations:
    live = rules_in_database(database_url)
    if live is None:
        raise UserError(
            f"DATABASE_URL: {without_password(database_url)}: no generation is live; run linepulse setup"
        )
    sizes: dict[int, int] = dict(connection.execute(statement("rebuild.generations")).fetchall())
    under_way = connection.execute(statement("rebuild.under_way")).fetchone()
    return OtherGenerations(
        live.generation,
        {generation: size for generation, size in sizes.items() if generation < live.generation},
        {generation: size for generation, size in sizes.items() if generation > live.generation},
        bool(under_way and under_way[0]),
    )


def _drop(connection: psycopg.Connection, schema: str) -> None:
    """Drop our tables of a schema, then the schema; fails if objects of others are in it or depend on it."""
    for table in MOVED:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))
    connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)))
