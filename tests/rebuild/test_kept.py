"""Rows that do not follow from the log are kept: older ones, and those that no record of it made."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from rebuild.carry import carry_over, note_reach
from rebuild.table_builder import TableBuilder
from runtime.topics import admin
from schemas.instant import text_of
from schemas.raw import Kind, RawHeaders
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import BEGIN, Written, story
from tests.services import Services

SHADOW = "generation_2"
LETTER = """
    INSERT INTO "DeadLetter"
        (id, "lineId", line, topic, partition, "offset", payload, reason, detail, "receivedAt")
    VALUES (gen_random_uuid(), '', '', %s, 0, 7, '', %s, '', '2026-01-15 10:00:10Z')
"""


def expire(plant: Replayed, keep: float) -> dict[int, int]:
    """Have Kafka delete all but this share of each partition's records; where each partition begins then."""

    async def delete() -> dict[int, int]:
        begins = {partition: int(at.end * (1 - keep)) for partition, at in found.items()}
        topic = plant.settings.topics.raw
        async with admin(plant.settings) as client:
            await client.delete_records(
                {TopicPartition(topic, partition): RecordsToDelete(at) for partition, at in begins.items()}
            )
        return begins

    with TableBuilder(plant.settings, RULES) as rebuild:
        found = rebuild.extents()
        rebuild.drop()
    return asyncio.run(delete())


def made(plant: Replayed) -> dict[int, int | None]:
    """Make the tables, with all rows carried over; return each partition's first time."""
    with TableBuilder(plant.settings, RULES) as rebuild:
        rebuild.apply(rebuild.extents(), lambda _: None)
        rebuild.finish()
        stand = rebuild.checkpoints()
        note_reach(rebuild.connection, stand, plant.settings.partitions)
        carry_over(rebuild.connection, 2, plant.settings.topics.raw)
        rebuild.connection.commit()
    return {at.partition: at.begin_time for at in stand.values()}


def test_what_no_record_of_the_log_made_is_kept(plant: Replayed) -> None:
    """Dead letters of the sinks and about losses, acknowledgements, replays: no row differs."""
    plant.write(story(seconds=60, seed=11))
    plant.live()
    plant.run(LETTER, [plant.settings.topics.orders, "not_event"])
    plant.run(LETTER, [plant.settings.topics.raw, "expired"])
    plant.run(LETTER, [plant.settings.topics.raw, "log_lost"])
    plant.run("""UPDATE "Alert" SET "acknowledgedAt" = '2026-01-15 12:00Z', "acknowledgedBy" = 'Ana'""")
    plant.run("""UPDATE "DeadLetter" SET "replayedAt" = '2026-01-15 12:00Z' WHERE reason = 'not_json'""")
    printed = plant.rebuild("--dry-run")
    assert differing(printed) == {}
    assert printed["tables"]["DeadLetter"]["same"] == plant.rows('SELECT count(*) FROM "DeadLetter"')[0][0]


def test_a_key_that_postgresql_would_refuse_is_a_dead_letter_live_and_rebuilt(plant: Replayed) -> None:
    """A NUL in the key of a foreign record reaches no row: nothing is refused, nothing is missing."""
    plant.write(story(seconds=20, seed=15))
    headers = RawHeaders(Kind.DATA, "production/a/data", run=2).encode()
    plant.write(iter([Written("a\0b", b"{}", BEGIN + 30_000, headers)]))
    plant.live()
    assert plant.rows("""SELECT reason FROM "DeadLetter" WHERE payload = '{}'""") == [("foreign",)]
    assert differing(plant.rebuild("--dry-run")) == {}
    assert "left out" not in plant.says("--dry-run")


def test_what_a_rule_of_the_plants_own_refuses_is_left_out_live_and_rebuilt(plant: Replayed) -> None:
    """The plant adds a CHECK to a table: rows that violate it are dead letters, and all others exist."""
    plant.write(story(seconds=60, seed=16))
    plant.run('ALTER TABLE "ProductionData" ADD CONSTRAINT plausible CHECK (temperature < 33.5)')
    plant.live()
    letters = """SELECT count(*) FROM "DeadLetter" WHERE reason = 'refused' AND topic = %s"""
    [(refused,)] = plant.rows(letters, [plant.settings.topics.samples])
    assert refused > 0
    assert plant.rows('SELECT max(temperature) > 33 FROM "ProductionData"') == [(True,)]
    assert differing(plant.rebuild("--dry-run")) == {}
    assert f"{refused} rows that PostgreSQL does not take are left out" in plant.says("--dry-run")


def test_a_letter_that_a_record_made_is_not_kept_where_the_record_makes_none(plant: Replayed) -> None:
    """Otherwise a corrected rule could never remove a dead letter."""
    plant.write(story(seconds=60, seed=12))
    plant.live()
    plant.run(LETTER, [plant.settings.topics.raw, "not_json"])
    assert differing(plant.rebuild("--dry-run")) == {"DeadLetter": 1}


def test_rows_from_before_the_logs_beginning_stay(plant: Replayed, services: Services) -> None:
    """#   log      ░░░░░ expired ░░░░░│━━━━━━━━━━━
    #   rows     ────kept──── ─as they are──│──published again──
    """
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes no records")
    plant.write(story(seconds=300, seed=13))
    plant.live()
    plant.run("""UPDATE "ProductionOrder" SET status = 'waiting', "endTime" = NULL, "orderNumber" = 'OF-0'
        WHERE id = (SELECT id FROM "ProductionOrder" ORDER BY "createdAt", id LIMIT 1)""")
    begins = expire(plant, keep=0.4)
    seams = made(plant)
    assert all(begins.values())
    assert all(at is not None and at > BEGIN for at in seams.values())
    latest = text_of(min(at for at in seams.values() if at is not None))
    for table, began in (
        ("ProductionData", "receivedAt"),
        ("KPISnapshot", "createdAt"),
        ("Downtime", "createdAt"),
    ):
        live = f'SELECT id::text FROM "{table}" WHERE "{began}" < %s ORDER BY 1'
        kept = f'SELECT id::text FROM {SHADOW}."{table}" WHERE "{began}" < %s ORDER BY 1'
        assert plant.rows(kept, [latest]) == plant.rows(live, [latest]) != []
    all_data = 'SELECT id::text, "bottlesProduced", "receivedAt" FROM {} ORDER BY 1'
    assert plant.rows(all_data.format(f'{SHADOW}."ProductionData"')) == plant.rows(
        all_data.format('"ProductionData"')
    )
    # The order that waited since before has ended: no line knows it any more.
    lost = f'SELECT status, reason FROM {SHADOW}."ProductionOrder" WHERE "orderNumber" = \'OF-0\''
    assert plant.rows(lost) == [("cancelled", "log_lost")]


def test_the_command_says_where_the_seam_lies(plant: Replayed, services: Services) -> None:
    """The partition, and the first record's time."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes no records")
    plant.write(story(seconds=30, seed=14))
    plant.live()
    expire(plant, keep=0.5)
    said = plant.says("--dry-run")
    assert "Partition 0: the log begins only at 2026-01-15T09:" in said
