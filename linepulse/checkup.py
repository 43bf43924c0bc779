"""What `linepulse doctor` checks: each part, and what is wrong with it."""

import asyncio
import math

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bridge.buffer import Reading, limits, predicted
from bridge.outage import in_words
from bridge.watch import look
from linepulse.finding import Finding
from linepulse.internal_errors import internal_errors
from linepulse.log_check import check_log
from linepulse.older_events import older_event
from linepulse.operator_message import broker_answers
from linepulse.page_check import check_page
from linepulse.stage_check import check_stages
from plant.rules import PlantError, plant_text, read_plant
from rebuild.other_generations import other_generations
from runtime.errors import UserError
from runtime.kafka import newest_rules
from runtime.log_end import fetched_ends
from runtime.rules_in_force import disagreement, rules_in_database
from runtime.settings import Settings, without_password
from runtime.sql import statement
from runtime.topics import TopicsError, admin, differences, partitions_of, plan, unfit
from schemas.errors import Unavailable

FEW = 20  # messages that may wait at any moment
BEHIND_S = 30.0


LOSS_DAYS = 7


async def check_all(settings: Settings) -> list[Finding]:
    """Check every part; what depends on a part that is wrong is not checked."""
    mqtt = await check_mqtt(settings)
    topics = await check_topics(settings)
    schema = await check_schema(settings)
    buffer = [] if mqtt.wrong else [await check_buffer(settings)]
    findings = [mqtt, *buffer, *topics, schema, check_plant(settings)]
    if not any(finding.wrong for finding in topics):
        findings.append(Finding(*await check_log(settings)))
    if not any(finding.wrong for finding in [*topics, schema]):
        losses = await asyncio.to_thread(check_losses, settings)
        findings += [await check_rules(settings), await check_progress(settings), losses]
        if failed := await asyncio.to_thread(internal_errors, settings.database_url, LOSS_DAYS):
            findings.append(Finding("records applied", failed))
        findings += await asyncio.to_thread(check_generations, settings)
        findings += await check_stages(settings)
    return [*findings, await check_page(settings)]


async def check_mqtt(settings: Settings) -> Finding:
    """The broker answers, and accepts us."""
    part = f"MQTT broker {without_password(settings.mqtt_broker_url)}"
    try:
        await asyncio.to_thread(broker_answers, settings)
    except UserError as error:
        return Finding(part, str(error))
    return Finding(part)


async def check_buffer(settings: Settings) -> Finding:
    """The broker discards nothing, and few messages wait."""
    part = "MQTT broker's buffer"
    reading = await look(settings)
    if reading is None or reading.waiting is None:
        return Finding(f"{part}: not known, the broker does not publish $SYS")
    if reading.dropped:
        return Finding(
            part,
            f"the broker threw {reading.dropped:.0f} messages away since it started, all clients together;"
            " set max_queued_messages 0 as deploy/mosquitto.conf does, and start it anew",
        )
    behind = reading.waiting / reading.rate if reading.rate else math.inf
    if reading.waiting > 2 * settings.mqtt_receive_maximum or (reading.waiting > FEW and behind > BEHIND_S):
        return Finding(
            part,
            f"{_waiting(settings, reading)}; look whether the bridge and Kafka run, or"
            " another client left a session that nobody reads",
        )
    return Finding(f"{part}: {_waiting(settings, reading)}")


def _waiting(settings: Settings, reading: Reading) -> str:
    filling = predicted(reading)
    left = filling.seconds_left(reading, limits(settings, reading)) if filling else None
    text = f"{reading.waiting:.0f} messages wait, in all its sessions"
    if left is None:
        return f"{text}; LINEPULSE_MQTT_BUDGET_BYTES would show for how long there is room"
    rate = reading.rate or 0.0
    return f"{text}; room for {in_words(left)} without the bridge, at {rate:.1f} messages a second"


async def check_topics(settings: Settings) -> list[Finding]:
    """Kafka answers; every topic exists, with its partitions and a configuration that loses nothing."""
    part = f"Kafka {settings.kafka_bootstrap_servers}"
    planned = plan(settings)
    try:
        async with admin(settings) as client:
            found = await partitions_of(client, [topic.name for topic in planned])
            there = [topic for topic in planned if topic.name in found]
            wrong = await differences(settings, planned, found) + await unfit(client, settings, there)
    except (TopicsError, KafkaError) as error:
        return [Finding(part, str(error))]
    if missing := [topic.name for topic in planned if topic.name not in found]:
        wrong.insert(0, f"no topic {', '.join(missing)}; run linepulse setup")
    topics = f"topics {settings.topic_prefix}.*"
    return [Finding(part), *([Finding(topics, each) for each in wrong] or [Finding(topics)])]


async def check_schema(settings: Settings) -> Finding:
    """PostgreSQL answers; the database has our tables, in the present version."""
    from sinks.schema import check  # noqa: PLC0415 - slow to import

    part = f"PostgreSQL {without_password(settings.database_url)}"
    try:
        return Finding(part, await asyncio.to_thread(check, settings.database_url))
    except Unavailable as error:
        return Finding(part, f"{error}; start PostgreSQL, or correct DATABASE_URL")


def check_plant(settings: Settings) -> Finding:
    """The plant file can be read and is valid."""
    part = f"plant file {settings.plant}"
    try:
        read_plant(plant_text(settings.plant), str(settings.plant))
    except PlantError as error:
        return Finding(part, f"{error}; correct the file")
    return Finding(part)


async def check_rules(settings: Settings) -> Finding:
    """The log, the database and the plant file have the same rules."""
    part = f"rules in {settings.topics.rules}"
    logged = await newest_rules(settings)
    stored = await asyncio.to_thread(rules_in_database, settings.database_url)
    if logged is None or stored is None:
        return Finding(part, "there are none; run linepulse setup")
    if wrong := disagreement(settings, logged, stored):
        return Finding(part, wrong)
    if logged.generation < stored.generation:
        return Finding(part, f"behind the database's generation {stored.generation}; run linepulse setup")
    try:
        same = plant_text(settings.plant) == logged.plant
    except PlantError:
        same = True  # check_plant reports it
    if not same:
        return Finding(
            part,
            f"generation {logged.generation} is in force, {settings.plant} differs and is not applied;"
            f" linepulse rebuild --plant {settings.plant} applies it, or put back the file"
            ' (SELECT "plant" FROM "Generation" WHERE "live" shows it)',
        )
    return Finding(f"{part}: generation {logged.generation}")


async def check_progress(settings: Settings) -> Finding:
    """PostgreSQL's cursors are within the log, and the next events can be written."""
    part = "progress of the sinks"
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, enable_auto_commit=False)
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(statement("cursors.all")).fetchall()
    cursors = {TopicPartition(topic, partition): offset for topic, partition, offset in rows}
    ours = {where: cursors[where] for where in cursors if where.topic in settings.topics.derived}
    if not ours:
        return Finding(part)
    await consumer.start()
    try:
        listed = await consumer.end_offsets(list(ours))
        begins = await consumer.beginning_offsets(list(ours))
    finally:
        await consumer.stop()
    ends = await fetched_ends(settings.kafka_bootstrap_servers, listed)
    for where, offset in ours.items():
        name = f"{where.topic}[{where.partition}]"
        if offset > ends[where]:
            return Finding(
                part,
                f"{name} ends at {ends[where]}, PostgreSQL has applied {offset}: the log was made anew. "
                "The sinks read it from its start when they run; if it is another plant's, name the database "
                "that belongs to it",
            )
        if offset < begins[where]:
            lost = begins[where] - offset
            return Finding(part, f"{name}: retention deleted {lost} records before they were applied")
    return Finding(part, await older_event(settings, {at: ours[at] for at in ours if ours[at] < ends[at]}))


def check_losses(settings: Settings) -> Finding:
    """No record was lost in the last LOSS_DAYS."""
    part = "records lost"
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(statement("doctor.losses"), {"days": LOSS_DAYS}).fetchone()
    assert row is not None
    count, last = row
    if not count:
        return Finding(part)
    return Finding(
        part,
        f"{count} dead letters of the last {LOSS_DAYS} days, the latest of {last:%Y-%m-%d %H:%M %Z}, report "
        "records that were lost with their log or expired before they were applied; see linepulse "
        "dead-letters list",
    )


def check_generations(settings: Settings) -> list[Finding]:
    """Generations beside the live one: kept from before it, or begun after it and not finished."""
    try:
        found = other_generations(settings.database_url)
    except UserError:
        return []  # check_rules reports it
    findings = [
        Finding(
            f"generation {generation}, before the live one, is kept: {_size(size)}; linepulse rebuild"
            " --drop-old drops it"
        )
        for generation, size in found.older.items()
    ]
    for generation, size in found.newer.items():
        part = f"rebuild to generation {generation}"
        if found.under_way:
            findings.append(Finding(f"{part} is under way: {_size(size)} so far"))
        else:
            findings.append(
                Finding(
                    part,
                    f"was not finished, and holds {_size(size)}; linepulse rebuild goes on with it, with the"
                    " same --plant as before, or begins anew",
                )
            )
    return findings


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
