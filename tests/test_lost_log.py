"""Kafka's volume is lost: the plant sets itself up again, and every number that it shows is right."""

import asyncio
import json
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from runtime.settings import Settings
from tests.commands import environment, running
from tests.eventually import eventually, wait_until
from tests.publish import publish
from tests.services import OwnServers, Services
from tests.services.native import NativeKafka
from tests.services.topics import make_anew
from tests.sinks.conftest import make_plant
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import all_samples, messages, own_entries


def rows(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with psycopg.connect(settings.database_url, row_factory=dict_row) as connection:
        return connection.execute(sql).fetchall()


def data(line: str, count: int, **facts: Any) -> tuple[str, bytes]:
    return f"production/{line}/data", json.dumps({"count": count, "running": True, **facts}).encode()


def test_a_kafka_that_comes_back_empty_is_set_up_again(own: OwnServers, tmp_path: Path) -> None:
    """Nobody need do anything: what was open in the lost log is closed, what machines send goes on."""
    #  ligne1  order, 4 × 2 pieces          │ lost │  order, 5 × 3 pieces
    #  ligne2  order, 2 pieces, then a stop │      │  silent for ever
    kafka = own.kafka()
    if not isinstance(kafka, NativeKafka):
        pytest.skip("the embedded broker makes what it is asked about")
    settings = own.settings(kafka=kafka, topics=False, dashboard_port=0)
    with running(environment(settings), tmp_path / "run", "run") as plant:
        plant.says("En écoute des messages MQTT")
        publish(settings, [data("ligne1", 2)] * 4 + [data("ligne2", 2), data("ligne2", 0, running=False)])
        count = 'SELECT count(*) AS n FROM "ProductionData"'
        wait_until(lambda: rows(settings, count) == [{"n": 6}], "the first rows", 60)
        open_stops = 'SELECT 1 FROM "Downtime" WHERE "endTime" IS NULL'
        wait_until(lambda: len(rows(settings, open_stops)) == 1, "the stop")
        kafka.kill()
        shutil.rmtree(kafka.folder)
        kafka.start()
        plant.says("linepulse setup est relancé", 60)
        publish(settings, [data("ligne1", 3)] * 5)
        wait_until(lambda: rows(settings, count) == [{"n": 11}], "the rows of the new log", 90)
        wait_until(lambda: not rows(settings, open_stops), "the end of the stop")
        open_alerts = "SELECT 1 FROM \"Alert\" WHERE status = 'open'"
        wait_until(lambda: not rows(settings, open_alerts), "the end of the alert")
        orders = 'SELECT "lineId", status, produced, reason FROM "ProductionOrder" ORDER BY "startTime"'
        made = [
            {"lineId": "ligne1", "status": "cancelled", "produced": 8, "reason": "log_lost"},
            {"lineId": "ligne2", "status": "cancelled", "produced": 2, "reason": "log_lost"},
            {"lineId": "ligne1", "status": "running", "produced": 15, "reason": None},
        ]
        wait_until(lambda: rows(settings, orders) == made, "the orders")
        assert rows(settings, 'SELECT reason FROM "Downtime"') == [{"reason": "log_lost"}]
        lost = """SELECT count(*) AS n FROM "DeadLetter" WHERE reason = 'log_lost'"""
        assert rows(settings, lost)[0]["n"] > 0
        assert plant.output.count("JOURNAL PERDU") > 0


@pytest.mark.parametrize("live", [True, False], ids=["under a running worker", "while no worker runs"])
async def test_what_a_lost_derived_topic_held_is_sent_again(services: Services, live: bool) -> None:
    """Nobody had written it to PostgreSQL yet: it follows from the raw log, which is whole."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes no topic")
    settings = services.settings()
    make_plant(settings.database_url)
    start = int(time.time() * 1000) - 3_600_000
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with Worker(settings) as first:
            await log.write(messages(40, start))
            await all_samples(derived, 200)
            await own_entries(settings, log, start + 60_000)
            if not live:
                assert first.end()[0] == 0
            await make_anew(settings, settings.topics.samples)
            with nullcontext() if live else Worker(settings), Worker(settings, "sinks"):
                await log.write(messages(40, start, 40))
                count = 'SELECT count(*) AS n FROM "ProductionData"'
                await eventually_rows(settings, count, 400)
                sums = """SELECT (SELECT sum("bottlesProduced") FROM "ProductionData")
                    = (SELECT sum(produced) FROM "ProductionOrder") AS n"""
                await eventually_rows(settings, sums, True)


async def eventually_rows(settings: Settings, sql: str, expected: object) -> None:
    async def there() -> bool:
        return (await asyncio.to_thread(rows, settings, sql))[0]["n"] == expected

    await eventually(there, f"{sql}: {expected}", 60)
