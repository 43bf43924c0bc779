"""The steps of `linepulse rebuild`: the tables made, compared, and put in the place of the live ones."""

import asyncio
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from linepulse.errors import UserError
from linepulse.rebuild.carry import carry_over, note_reach
from linepulse.rebuild.compare import Comparison, compare
from linepulse.rebuild.database import away
from linepulse.rebuild.level import level
from linepulse.rebuild.progress import progress
from linepulse.rebuild.rebuild import Rebuild
from linepulse.rebuild.rebuilt import Rebuilt
from linepulse.rebuild.takeover import close_in, take_over
from linepulse.rules import disagreement, rules_in_database
from runtime.catalogue import tell
from runtime.kafka import newest_rules
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.plant import read_plant


@dataclass(frozen=True)
class Asked:
    """What a rebuild is asked to do. `quiet`: say nothing on the way."""

    plant_text: str
    workers: int = 1
    dry_run: bool = True
    quiet: bool = False


@dataclass(frozen=True)
class Found:
    """What came of it.

    Attributes:
        messages: records of the log whose effect the tables hold.
        level: whether the live tables held as much of the log as the new ones when they were compared.
        seams: by partition whose beginning has expired: the first record's time, ms.
    """

    messages: int
    comparison: Comparison
    level: bool
    seams: dict[int, int] = field(default_factory=dict)


def rebuild_tables(
    settings: Settings, asked: Asked, show: Callable[[Found], None] = lambda _found: None
) -> Found:
    """Make the next generation's tables, compare them with the live ones and, but for a dry run, go live.

    Args:
        show: hears what would change, before it does.
    Raises:
        UserError: another rebuild runs, or Kafka and PostgreSQL do not belong together, or the swap can't be
            done; the text says what to do.
        Unavailable: Kafka or PostgreSQL went away, or a process was killed; run again, it goes on.
    """
    _require_agreement(settings)
    with Rebuild(settings, asked.plant_text, asked.workers) as rebuild:
        try:
            found = _made_and_compared(settings, rebuild, asked)
            show(found)
            if asked.dry_run:
                rebuild.drop()
            else:
                asyncio.run(_go_live(settings, rebuild, asked))
        except psycopg.OperationalError as error:
            raise away(error) from error
    return found


async def _go_live(settings: Settings, rebuild: Rebuild, asked: Asked) -> None:
    async def further(_: Rebuilt) -> Rebuilt:
        await asyncio.to_thread(rebuild.catch_up)
        return rebuild.rebuilt()

    out = io.StringIO() if asked.quiet else sys.stdout
    narrator = Narrator(settings.lang, settings.log, "rebuild", out=out)
    await take_over(settings, await close_in(rebuild.rebuilt(), further), narrator)


def _made_and_compared(settings: Settings, rebuild: Rebuild, asked: Asked) -> Found:
    def say(key: str, **facts: object) -> None:
        if not asked.quiet:
            print(tell(settings.lang, f"rebuild.{key}", **facts), flush=True)

    if rebuild.anew is not None:
        say("anew", why=tell(settings.lang, f"rebuild.{rebuild.anew}"))
    done = rebuild.applied()
    if rebuild.went_on:
        say("goes_on", done=done)
    ends = rebuild.extents()
    total = sum(extent.end - extent.begin for extent in ends.values())
    with progress(settings.lang, total, done, shown=not asked.quiet) as told:
        rebuild.apply(ends, told)
    say("finishing")
    rebuild.finish()
    stand = rebuild.checkpoints()
    reached = asyncio.run(
        level(settings, rebuild.job.generation - 1, {at.partition: at.next_offset for at in stand.values()})
    )
    say("comparing")
    connection, topic = rebuild.connection, settings.topics.raw
    note_reach(connection, stand, settings.partitions)
    carry_over(connection, rebuild.job.generation, topic)
    connection.commit()
    zone = read_plant(asked.plant_text).plant.time_zone
    comparison = compare(connection, rebuild.job.generation, topic, zone)
    connection.commit()
    begun = {at.partition: at for at in stand.values() if at.begin and at.begin_time is not None}
    seams = {partition: at.begin_time or 0 for partition, at in begun.items()}
    return Found(rebuild.applied(), comparison, reached, seams)


def _require_agreement(settings: Settings) -> None:
    logged = asyncio.run(newest_rules(settings))
    if wrong := disagreement(settings, logged, rules_in_database(settings.database_url)):
        raise UserError(wrong)
