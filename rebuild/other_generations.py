"""Generations beside the live one: kept for comparison, or begun and not finished."""

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

WAIT = "5s"  # for who reads the tables that are dropped
NOT_DROPPED = (
    psycopg.errors.DependentObjectsStillExist,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.InsufficientPrivilege,
)


@dataclass(frozen=True)
class Beside:
    """What stands beside the live generation: sizes in bytes, by generation."""

    live: int
    older: dict[int, int]
    newer: dict[int, int]
    under_way: bool  # a rebuild runs now


def beside(database_url: str) -> Beside:
    """Look at PostgreSQL.

    Raises:
        Unavailable: it does not answer.
        UserError: no generation is live.
    """
    try:
        with connect(database_url) as connection:
            return _beside(connection, database_url)
    except psycopg.OperationalError as error:
        raise away(error) from error


async def drop_old(settings: Settings) -> list[int]:
    """Drop the tables and the changelogs of the generations before the live one; which they were.

    Raises:
        UserError: something of others rests on the tables, or somebody reads them; nothing is dropped.
        Unavailable: PostgreSQL does not answer.
    """
    dropped = drop_tables(settings.database_url)
    generations = range(1, beside(settings.database_url).live)
    try:
        async with admin(settings) as client:
            for generation in generations:
                await delete_topic(client, changelog(settings.topic_prefix, generation))
    except (TopicsError, KafkaError) as error:
        raise UserError(f"the tables are dropped, their changelogs are not: {error}; try again") from error
    return dropped


def drop_tables(database_url: str) -> list[int]:
    """The part of `drop_old` that PostgreSQL holds."""
    try:
        with connect(database_url) as connection:
            connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(WAIT)))
            older = list(_beside(connection, database_url).older)
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


def _beside(connection: psycopg.Connection, database_url: str) -> Beside:
    live = rules_in_database(database_url)
    if live is None:
        raise UserError(
            f"DATABASE_URL: {without_password(database_url)}: no generation is live; run linepulse setup"
        )
    sizes: dict[int, int] = dict(connection.execute(statement("rebuild.generations")).fetchall())
    under_way = connection.execute(statement("rebuild.under_way")).fetchone()
    return Beside(
        live.generation,
        {generation: size for generation, size in sizes.items() if generation < live.generation},
        {generation: size for generation, size in sizes.items() if generation > live.generation},
        bool(under_way and under_way[0]),
    )


def _drop(connection: psycopg.Connection, schema: str) -> None:
    """Drop our tables of a schema, then the schema: what others put there, or rest on it, refuses that."""
    for table in MOVED:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))
    connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)))
