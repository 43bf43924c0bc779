"""The role on real Kafka and PostgreSQL: from topic to row, through every kind of trouble."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from runtime.settings import Settings
from tests.eventually import wait_until
from tests.services import OwnServers, Services
from tests.services.topics import make_anew
from tests.sinks.conftest import Plant, make_plant
from tests.sinks.records import alert, kpi, order, sample
from tests.sinks.worker import Worker, send

pytestmark = pytest.mark.both

COUNT = 'SELECT count(*) AS n FROM "ProductionData"'


def count(plant: Plant) -> int:
    return int(plant.rows(COUNT)[0]["n"])


async def test_events_become_rows_and_are_told_in_french(
    services: Services, workers: Callable[[Settings], Worker]
):
    """The lines are those of the guide, and come once rows are stored; SIGTERM ends it within 10 s."""
    settings = services.settings()
    plant = make_plant(settings.database_url)
    worker = workers(settings)
    topics = settings.topics
    await send(settings, topics.samples, [sample(0)])
    fresh: dict[str, Any] = {
        "version": 0,
        "created_at": "2025-01-17T14:17:36.000Z",
        "updated_at": "2025-01-17T14:17:36.000Z",
    }
    await send(settings, topics.orders, [order(1, produced=2, **fresh)])
    await send(settings, topics.kpis, [kpi(1, 1)])
    await send(settings, topics.alerts, [alert(1, **fresh)])
    await send(settings, topics.dead_letters, [b"rubbish"])
    for line in (
        "✅ Données production enregistrées: 2 bouteilles, cadence 115 b/min",
        "📦 Nouvel ordre de production créé: ORD-1 (10000 unités)",
        "📦 Ordre ORD-1: 2/10000 (0%)",
        "📈 KPIs mis à jour: TRS=82.3%",
        "🚨 Alerte Ligne 1: température 31.2 °C (seuil 30.0)",
        "⚠️ Message écarté, ligne0",
    ):
        worker.says(line)
    assert count(plant) == 1
    assert [row["reason"] for row in plant.rows('SELECT * FROM "DeadLetter"')] == ["not_event"]
    worker.send(signal.SIGTERM)
    assert worker.ends(10) == 0


async def test_killed_and_joined_workers_write_every_row_once(
    services: Services, workers: Callable[[Settings], Worker]
):
    """SIGKILL in the middle, a second worker, a restart: the same rows."""
    settings = services.settings()
    plant = make_plant(settings.database_url)
    first = workers(settings)
    topics = settings.topics
    for part in range(4):
        numbers = range(part * 1000, (part + 1) * 1000)
        await send(settings, topics.samples, [sample(number) for number in numbers], lines=4)
        await send(settings, topics.orders, [order(number % 4, number) for number in numbers], lines=4)
        if part == 1:
            wait_until(lambda: count(plant) > 1000, "the first rows")
            second = workers(settings)
            first.kill()
        if part == 2:
            wait_until(lambda: count(plant) > 2000, "the second worker's rows")
            second.kill()
            second.start()
            first.start()
    await send(settings, topics.samples, [sample(4000 + number) for number in range(4)], lines=4)
    wait_until(lambda: count(plant) == 4004, "all rows")
    last = 'SELECT produced FROM "ProductionOrder" ORDER BY produced'
    wait_until(
        lambda: [row["produced"] for row in plant.rows(last)] == [3996, 3997, 3998, 3999], "the orders"
    )
    ends = plant.rows('SELECT sum("nextOffset") AS n FROM "SinkCursor" WHERE topic = %s', [topics.samples])
    assert ends == [{"n": 4004}]


async def test_a_frozen_worker_keeps_nobody_from_its_partitions(
    services: Services, workers: Callable[[Settings], Worker]
):
    """While it is frozen another takes over; once it runs again, it writes nothing twice."""
    settings = services.settings()
    plant = make_plant(settings.database_url)
    frozen, other = workers(settings), workers(settings)
    topic = settings.topics.orders
    await send(settings, topic, [order(number, 1) for number in range(1000)], lines=4)
    rows = 'SELECT count(*) AS n, sum(produced) AS produced FROM "ProductionOrder"'
    wait_until(lambda: plant.rows(rows)[0]["n"] == 1000, "the first rows")
    frozen.send(signal.SIGSTOP)
    await send(settings, topic, [order(number, 2) for number in range(1000)], lines=4)
    wait_until(lambda: plant.rows(rows)[0]["produced"] == 2000, "the other worker's rows")
    frozen.send(signal.SIGCONT)
    await send(settings, topic, [order(number, 3) for number in range(1000)], lines=4)
    wait_until(lambda: plant.rows(rows)[0]["produced"] == 3000, "rows after the thaw")
    other.send(signal.SIGTERM)
    assert other.ends(10) == 0


async def test_postgres_that_dies_is_waited_for(own: OwnServers, workers: Callable[[Settings], Worker]):
    """Killed in the middle, away for a while: nothing is lost, and the log says so once."""
    postgres = own.postgres()
    settings = own.settings(postgres=postgres)
    plant = make_plant(settings.database_url)
    worker = workers(settings)
    topic = settings.topics.samples
    await send(settings, topic, [sample(number) for number in range(500)], lines=4)
    wait_until(lambda: count(plant) == 500, "the first rows")
    postgres.kill()
    await send(settings, topic, [sample(number) for number in range(500, 1000)], lines=4)
    worker.says("⏳ En attente: PostgreSQL")
    postgres.start()
    wait_until(lambda: count(plant) == 1000, "the rest")
    worker.says("💾 La base répond de nouveau")
    assert worker.said().count("⏳") == 1


async def test_a_restored_database_gets_its_rows_again(
    services: Services, workers: Callable[[Settings], Worker]
):
    """The cursor in PostgreSQL is the only one that counts: what a backup lacks is read again."""
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    workers(settings)
    topic = settings.topics.samples
    await send(settings, topic, [sample(number) for number in range(100)])
    wait_until(lambda: count(plant) == 100, "the rows")
    plant.run(
        """WITH kept AS (SELECT id FROM "ProductionData" ORDER BY timestamp LIMIT 40),
            lost AS (DELETE FROM "ProductionData" WHERE id NOT IN (SELECT id FROM kept))
        UPDATE "SinkCursor" SET "nextOffset" = 40 WHERE topic = %s""",
        [topic],
    )
    await send(settings, topic, [sample(100)])
    wait_until(lambda: count(plant) == 101, "all rows")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"topic_prefix": "nobodys"}, "no topic nobodys.samples"),
        ({"partitions": 5}, "has 4 partitions, 5 expected"),
        ({"database_url": "other"}, "does not exist; run linepulse setup"),
    ],
)
async def test_it_refuses_to_start_where_setup_is_missing(
    services: Services, workers: Callable[[Settings], Worker], wrong: dict[str, object], sentence: str
):
    """The sentence names what is wrong and what to run."""
    settings = services.settings()
    make_plant(settings.database_url)
    if "database_url" in wrong:
        wrong = {"database_url": f"{settings.database_url}_other"}
    worker = workers(settings.model_copy(update=wrong))
    assert worker.ends(20) != 0
    assert sentence in worker.said()


async def test_what_retention_deleted_is_a_loud_loss(
    services: Services, workers: Callable[[Settings], Worker]
):
    """It is logged with its offsets; the sinks continue from the start of the log."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes nothing")
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    topic = settings.topics.samples
    await send(settings, topic, [sample(number) for number in range(100)])
    plant.run('INSERT INTO "SinkCursor" VALUES (%s, 0, 10)', [topic])
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=60)})
    await admin.close()
    worker = workers(settings)
    worker.says(f"❌ PERTE: {topic}[0] messages 10 à 59 effacés")
    wait_until(lambda: count(plant) == 40, "what is left")
    await send(settings, topic, [sample(100)])
    wait_until(lambda: count(plant) == 41, "what comes later")
    assert plant.rows(LETTERS) == [{"reason": "expired", "topic": topic, "offset": 10}]


LETTERS = 'SELECT reason, topic, "offset" FROM "DeadLetter" ORDER BY reason, topic'


async def test_a_log_that_ends_before_the_cursor_is_read_from_its_start(
    services: Services, workers: Callable[[Settings], Worker]
):
    """Kafka was made anew and the database was not: it is reported, and nothing is skipped."""
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    topic = settings.topics.samples
    await send(settings, topic, [sample(number) for number in range(10)])
    plant.run('INSERT INTO "SinkCursor" VALUES (%s, 0, 500)', [topic])
    worker = workers(settings)
    worker.says(f"❌ JOURNAL PERDU: {topic}[0] n'est plus celui qui a été traité jusqu'au n° 499")
    wait_until(lambda: count(plant) == 10, "the rows")
    assert plant.rows(LETTERS) == [{"reason": "log_lost", "topic": topic, "offset": 0}]


async def test_a_longer_log_that_is_not_ours_is_read_from_its_start(
    services: Services, workers: Callable[[Settings], Worker]
):
    """Made anew and already longer: the last applied record shows it. Rows that exist are not doubled."""
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    topic = settings.topics.samples
    await send(settings, topic, [sample(number) for number in range(10)])
    plant.run("""INSERT INTO "SinkCursor" VALUES (%s, 0, 4, '2020-01-01')""", [topic])
    worker = workers(settings)
    worker.says(f"❌ JOURNAL PERDU: {topic}[0]")
    wait_until(lambda: count(plant) == 10, "the rows")
    await send(settings, topic, [sample(number) for number in range(8, 12)])
    wait_until(lambda: count(plant) == 12, "what comes later, once")


async def test_topics_made_anew_under_a_running_worker_are_read_from_their_start(
    services: Services, workers: Callable[[Settings], Worker]
):
    """Deleted and created again: no restart by hand, every event of the new log becomes a row."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes no topic")
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    topic = settings.topics.samples
    worker = workers(settings)
    await send(settings, topic, [sample(number) for number in range(100)])
    wait_until(lambda: count(plant) == 100, "the rows")
    await make_anew(settings, topic)
    # One at first: a log that has grown past the old position before it is looked at would not be noticed
    # (docs/reliability.md, what is left).
    await send(settings, topic, [sample(100)])
    worker.says(f"❌ JOURNAL PERDU: {topic}[0] n'est plus celui qui a été traité jusqu'au n° 99")
    await send(settings, topic, [sample(number) for number in range(101, 250)])
    wait_until(lambda: count(plant) == 250, "the rows of the new log", seconds=30)
    assert worker.runs
