"""The part of `linepulse doctor` about the roles: whether each stage moves, and how far it is behind.

A frozen process can't answer, so the roles are not asked: their effects are read twice and compared. The
bridge writes a tick to every partition every 5 s, the stream stage commits its progress to its group, the
sinks note in PostgreSQL every 5 s that they are alive.
"""

import asyncio
import time
from dataclasses import dataclass

import psycopg
from aiokafka import TopicPartition

from bridge.outage import in_words
from linepulse.finding import Finding
from runtime.log_end import Logs
from runtime.progress import Progress, progress
from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings
from runtime.sql import statement
from schemas.errors import Unavailable

WATCH_S = 12.0  # two ticks, and the time to store them
LOOK_EVERY_S = 1.0
JUST_S = 1.0
LONG_S = 3600.0  # a record this old is not explained by a wrong clock: then nothing is waited for


@dataclass(frozen=True)
class Stored:
    """What PostgreSQL holds about the stages: ages in seconds."""

    cursors: dict[TopicPartition, int]
    moved: dict[str, float]  # how long ago a stage moved, as far as the sinks know
    noted: float | None  # how long ago the sinks noted anything; None: never
    sample: tuple[str, float] | None  # line and age of the newest row


@dataclass(frozen=True)
class Seen:
    """The stages at one moment."""

    at: float  # monotonic seconds
    log: Progress
    stored: Stored


async def check_stages(settings: Settings) -> list[Finding]:
    """Bridge, streams and sinks each move; how far each is behind, and how old the newest row is."""
    rules = await asyncio.to_thread(rules_in_database, settings.database_url)
    generation = 0 if rules is None else rules.generation
    try:
        first = await _look(settings, generation)
        if not any(first.log.ends.values()) and first.stored.noted is None:
            return [Finding("roles: none has run yet")]
        latest = await _watched(settings, generation, first)
        waiting = await _unwritten(settings, latest.stored)
    except Unavailable as error:
        return [Finding("roles", str(error))]
    return [_bridge(first.log, latest.log), _streams(first.log, latest.log), _sinks(first, latest, waiting)]


def still(first: Progress, latest: Progress) -> tuple[list[int], list[int]]:
    """The partitions to which the bridge wrote nothing meanwhile, and those in which streams read nothing."""
    unwritten = [p for p, end in first.ends.items() if latest.ends[p] == end]
    unread = [
        p for p in first.ends if latest.applied.get(p) == first.applied.get(p) and not latest.has_read_all(p)
    ]
    return unwritten, unread


def noted(first: Seen, latest: Seen) -> bool:
    """Whether the sinks noted anything between the two readings, or less than JUST_S before the latest."""
    if latest.stored.noted is None:
        return False
    if first.stored.noted is None or latest.stored.noted < JUST_S:
        return True
    return latest.stored.noted < first.stored.noted + (latest.at - first.at) - JUST_S


async def _look(settings: Settings, generation: int) -> Seen:
    log = await progress(settings, generation)
    return Seen(time.monotonic(), log, await asyncio.to_thread(_stored, settings))


async def _watched(settings: Settings, generation: int, first: Seen) -> Seen:
    """A second reading, once all has moved or after WATCH_S. Nothing written for LONG_S: the first one."""
    if min(first.stored.moved.get("bridge", LONG_S), _age(first.log)) >= LONG_S:
        return first
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        latest = await _look(settings, generation)
        if not any(still(first.log, latest.log)) and noted(first, latest):
            return latest
        if latest.at > first.at + WATCH_S:
            return latest


def _age(seen: Progress) -> float:
    """Seconds since the newest record, by this computer's clock; LONG_S if there is none."""
    return time.time() - max(seen.times.values()) / 1000 if seen.times else LONG_S


def _bridge(first: Progress, latest: Progress) -> Finding:
    unwritten, _ = still(first, latest)
    age = f"its latest record is {in_words(max(0.0, _age(latest)))} old" if latest.times else "it is empty"
    if not unwritten:
        return Finding(f"bridge: writes; {age}")
    return Finding(
        "bridge",
        f"nothing new in the raw log{_named(unwritten, latest)}, {age}: the bridge does not run, is frozen,"
        " or has no MQTT broker; start it again",
    )


def _streams(first: Progress, latest: Progress) -> Finding:
    _, unread = still(first, latest)
    behind = sum(max(0, end - latest.applied.get(p, 0)) for p, end in latest.ends.items())
    if not unread:
        return Finding(f"streams: {behind} records behind the bridge")
    return Finding(
        "streams",
        f"reads nothing{_named(unread, latest)}, {behind} records behind the bridge: no worker runs, or it is"
        " frozen; start it again",
    )


def _sinks(first: Seen, latest: Seen, waiting: int) -> Finding:
    newest = "no row yet"
    if latest.stored.sample is not None:
        line, ago = latest.stored.sample
        newest = f"the newest row is of {line!r}, {in_words(max(0.0, ago))} ago"
    text = f"{waiting} events behind the streams, {newest}"
    if noted(first, latest):
        return Finding(f"sinks: {text}")
    age = latest.stored.noted
    since = "have never run" if age is None else f"last noted that they are alive {in_words(age)} ago"
    return Finding("sinks", f"{since}; {text}: no worker runs, or it is frozen; start it again")


def _named(partitions: list[int], seen: Progress) -> str:
    """The partitions in words; empty if it is all of them."""
    if len(partitions) == len(seen.ends):
        return ""
    return f" in partition {', '.join(map(str, sorted(partitions)))}"


def _stored(settings: Settings) -> Stored:
    with psycopg.connect(settings.database_url) as connection:
        cursors = connection.execute(statement("cursors.all")).fetchall()
        stages = connection.execute(statement("stages.ages")).fetchall()
        sample = connection.execute(statement("doctor.newest_sample")).fetchone()
    noted = [seen for stage, _, seen in stages if stage == "sinks"]
    derived = settings.topics.derived
    return Stored(
        {TopicPartition(topic, number): offset for topic, number, offset in cursors if topic in derived},
        {stage: moved for stage, moved, _ in stages},
        noted[0] if noted else None,
        None if sample is None else (sample[0], sample[1]),
    )


async def _unwritten(settings: Settings, stored: Stored) -> int:
    """How many events the sinks have not written to PostgreSQL yet."""
    partitions = [
        TopicPartition(topic, number)
        for topic in settings.topics.derived
        for number in range(settings.partitions)
    ]
    ends = await Logs(settings.kafka_bootstrap_servers).ends(partitions)
    return sum(max(0, ends[at] - stored.cursors.get(at, 0)) for at in partitions)
