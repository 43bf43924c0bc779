"""The sinks as a role: one agent per derived topic; what they have to write is written together."""

import asyncio

import faust

from runtime.batches import BACK_OFF_S, Stage
from runtime.dead_members import take_out_dead
from runtime.health import Health
from runtime.kafka import require_topics
from runtime.log_end import Logs
from runtime.narrator import Narrator
from runtime.settings import Settings, SettingsError, without_password
from runtime.watchdog import Watchdog
from runtime.worker import make_app, run_app
from schemas.errors import Unavailable
from sinks.cursors import Cursors
from sinks.database import Database
from sinks.group_commit import GroupCommit
from sinks.log_identity import LogIdentity
from sinks.outage import Outage
from sinks.schema import check
from sinks.sink import Sink
from sinks.stages import Stages
from sinks.tables import tables_of
from sinks.writer import Writer

NAME = "linepulse-sinks"
MAX_BATCH = 5000  # events of a partition that one fetch hands over
MOST_AT_ONCE = 16  # partitions of a topic


async def run(settings: Settings) -> None:
    """Write rows until SIGTERM or SIGINT.

    Raises:
        SettingsError: the schema is not as `setup` makes it; the text says what to do.
        Unavailable: Kafka is away, its topics are not as `setup` makes them, or the worker crashed; started
            again, it goes on from its cursors.
        OSError: the health port that was asked for is busy.
    """
    narrator = Narrator(settings.lang, settings.log, "sinks")
    async with Health(narrator, "sinks", settings.http_host, settings.http_port) as health:
        await _work(settings, narrator, health)


async def _work(settings: Settings, narrator: Narrator, health: Health) -> None:
    await require_topics(settings, settings.topics.derived)
    await _require_schema(settings, narrator)
    narrator.say("sinks.started", database=without_password(settings.database_url))

    app = make_app(settings, NAME, max_batch=MAX_BATCH)
    tables = tables_of(settings.topics)
    database = Database(settings.database_url)
    cursors, outage = Cursors(database), Outage(narrator)
    store = LogIdentity(cursors, Logs(settings.kafka_bootstrap_servers), narrator)
    stage = Stage(app, tables, store, narrator, settings.sinks_gather_ms)
    group = GroupCommit(settings.database_url, settings.lang)
    for topic, table in tables.items():
        its = Sink(table, settings.partitions)

        async def write(stream: faust.StreamT[bytes], sink: Sink = its) -> None:
            await stage.each(stream, Writer(stage, sink, group, cursors, outage, narrator).apply)

        source = app.topic(topic, key_type=bytes, value_type=bytes)
        # As many batches in hand as there may be partitions: they are written together.
        app.agent(source, name=table.name, concurrency=min(settings.partitions, MOST_AT_ONCE))(write)

    # A worker that waits for PostgreSQL, however long, is alive.
    watchdog = Watchdog(stage, settings, narrator, signs=lambda: outage.waits)
    health.ready, health.alive = lambda: stage.not_ready() or outage.why, watchdog.wrong
    await take_out_dead(settings.kafka_bootstrap_servers, app.conf.id, NAME)
    beside = [asyncio.create_task(group.run()), asyncio.create_task(Stages(settings).keep())]
    try:
        await run_app(app, watchdog, stopping=stage.quiesce)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await database.close()


async def _require_schema(settings: Settings, narrator: Narrator) -> None:
    """Wait until PostgreSQL answers; refuse to start where `setup` is missing."""
    attempt = 0
    while True:
        try:
            wrong = await asyncio.to_thread(check, settings.database_url)
        except Unavailable as why:
            if attempt == 0:
                narrator.say("runtime.waiting", why=str(why))
        else:
            if wrong:
                raise SettingsError(wrong)
            return
        await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
        attempt += 1
