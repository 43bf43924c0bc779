"""The role `linepulse streams`: a worker of the stream stage, in the foreground."""

from runtime.health import Health
from runtime.kafka import require_topics, rules_in_force
from runtime.narrator import Narrator
from runtime.settings import Settings
from runtime.worker import make_app, run_app
from schemas.plant import PlantError, Rules, RulesRecord, plant_text, read_plant
from streams.agent import LineAgent
from streams.outbox import Outbox


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        Unavailable: Kafka is away, its topics or the rules are missing, or the worker crashed.
        PlantError: the plant file can't be read.
    """
    narrator = Narrator(settings.lang, settings.log, "streams")
    await require_topics(settings, [settings.topics.raw, *settings.topics.derived])
    record = await rules_in_force(settings)
    tell_if_other(settings, record, narrator)
    rules = Rules(record.generation, read_plant(record.plant, settings.topics.rules))
    app = make_app(settings, f"streams-{record.generation}", declare=True)
    outbox = Outbox(settings)
    agent = LineAgent(app, rules, settings, outbox, narrator)
    stage = agent.attach()

    async def stop() -> None:
        await agent.stop()
        await outbox.stop()

    health = Health(narrator, "streams", settings.http_host, settings.http_port, stage.not_ready)
    await health.start()
    narrator.say("streams.started", generation=record.generation)
    try:
        await run_app(app, stopping=stop)
    finally:
        await health.stop()


def tell_if_other(settings: Settings, force: RulesRecord, narrator: Narrator) -> None:
    """Say so if the plant file differs from the rules in force, which go on."""
    text = plant_text(settings.plant)
    try:
        same = read_plant(text) == read_plant(force.plant)
    except PlantError as error:
        narrator.say("runtime.waiting", why=str(error))
        return
    if not same:
        narrator.say("streams.other_plant", plant=str(settings.plant), generation=force.generation)
