"""The role `linepulse streams`: a worker of the stream stage, in the foreground."""

import faust

from plant.rules import PlantError, Rules, RulesRecord, plant_text, read_plant
from runtime.dead_members import take_out_dead
from runtime.generation_watch import until_newer
from runtime.health import Health
from runtime.kafka import require_topics, rules_in_force
from runtime.narrator import Narrator
from runtime.settings import Settings
from runtime.watchdog import Watchdog
from runtime.worker import make_app, run_app
from streams.agent import LineAgent
from streams.changelog import app_name
from streams.outbox import Outbox


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; when newer rules come into force, restart with them.

    Raises:
        Unavailable: Kafka is away, its topics or the rules are missing, or the worker crashed.
        SettingsError: the log is not as `setup` makes it; the text says what to do.
        PlantError: the plant file can't be read.
    """
    narrator = Narrator(settings.lang, settings.log, "streams")
    async with Health(narrator, "streams", settings.http_host, settings.http_port) as health:
        await _work(settings, narrator, health)


async def _work(settings: Settings, narrator: Narrator, health: Health) -> None:
    await require_topics(settings, [settings.topics.raw, *settings.topics.derived])
    record = await rules_in_force(settings)
    report_other_plant(settings, record, narrator)
    rules = Rules(record.generation, read_plant(record.plant, settings.topics.rules))
    app = make_app(settings, app_name(record.generation), declare=True)
    outbox = Outbox(settings)
    agent = LineAgent(app, rules, settings, outbox, narrator)
    stage = agent.attach()

    async def stop() -> None:
        await agent.stop()
        await outbox.stop()

    async def superseded() -> None:
        newer = await until_newer(settings, record.generation)
        narrator.say("streams.next_rules", generation=newer)

    watchdog = Watchdog(stage, settings, narrator, signs=lambda: _recovered(app))
    health.ready, health.alive = stage.not_ready, watchdog.wrong
    narrator.say("streams.started", generation=record.generation)
    await take_out_dead(settings.kafka_bootstrap_servers, app.conf.id, app_name(record.generation))
    await run_app(app, watchdog, stopping=stop, superseded=superseded())


def _recovered(app: faust.App) -> int:
    """A sum of changelog offsets that grows while states are restored."""
    return sum(offset or 0 for offset in app.tables.recovery.active_offsets.values())


def report_other_plant(settings: Settings, force: RulesRecord, narrator: Narrator) -> None:
    """Report it if the plant file differs from the rules in force, which stay in force."""
    text = plant_text(settings.plant)
    try:
        same = read_plant(text) == read_plant(force.plant)
    except PlantError as error:
        narrator.say("runtime.waiting", why=str(error))
        return
    if not same:
        narrator.say("streams.other_plant", plant=str(settings.plant), generation=force.generation)
