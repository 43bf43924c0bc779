"""The steps of `linepulse rebuild`: make the tables, compare them with the live ones, let them go live."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from plant.catalogue import sentence
from plant.rules import read_plant
from rebuild.carry import carry_over, note_reach
from rebuild.caught_up import live_tables_caught_up
from rebuild.compare import Comparison, compare
from rebuild.database import away
from rebuild.progress import progress
from rebuild.table_builder import TableBuilder
from rebuild.takeover import finish, narrow_gap, take_over
from runtime.errors import UserError
from runtime.kafka import newest_rules
from runtime.narrator import Narrator
from runtime.rules_in_force import disagreement, rules_in_database
from runtime.settings import Settings


@dataclass(frozen=True)
class RebuildRequest:
    """What a rebuild is to do. `quiet`: print no progress."""

    plant_text: str
    workers: int = 1
    dry_run: bool = True
    quiet: bool = False


@dataclass(frozen=True)
class RebuildResult:
    """The result of a rebuild.

    Attributes:
        messages: how many records of the log have their effect in the tables; `before`: of these, the ones
            applied by an earlier attempt.
        caught_up: whether the live tables held as much of the log as the new ones when they were compared.
        refused: how many rows PostgreSQL refused, as it refused them from the sinks.
        seams: by partition whose beginning has expired: the first record's time, ms.
    """

    messages: int
    comparison: Comparison
    caught_up: bool
    refused: int = 0
    before: int = 0
    seams: dict[int, int] = field(default_factory=dict)


def rebuild_tables(
    settings: Settings, request: RebuildRequest, report: Callable[[RebuildResult], None] = lambda _: None
) -> RebuildResult:
    """Make the next generation's tables, compare them with the live ones, and let them go live.

    Args:
        report: called with the result before anything goes live.
    Raises:
        UserError: another rebuild runs, or Kafka and PostgreSQL belong to different installations.
        Unavailable: Kafka or PostgreSQL went away, or a process was killed; the next rebuild resumes.
    """
    _require_agreement(settings)
    if not request.dry_run:
        asyncio.run(finish(settings, request.plant_text))
    with TableBuilder(settings, request.plant_text, request.workers) as rebuild:
        try:
            found = _made_and_compared(settings, rebuild, request)
            report(found)
            if request.dry_run:
                rebuild.drop()
            else:
                _go_live(settings, rebuild, request)
        except psycopg.OperationalError as error:
            raise away(error) from error
    return found


def _made_and_compared(settings: Settings, rebuild: TableBuilder, request: RebuildRequest) -> RebuildResult:
    def say(key: str, **facts: object) -> None:
        if not request.quiet:
            print(sentence(settings.lang, f"rebuild.{key}", **facts), flush=True)

    if rebuild.not_resumed is not None:
        say("anew", why=sentence(settings.lang, f"rebuild.{rebuild.not_resumed}"))
    done = rebuild.applied()
    if rebuild.resumed:
        say("goes_on", done=done)
    ends = rebuild.extents()
    total = sum(extent.end - extent.begin for extent in ends.values())
    with progress(settings.lang, total, done, shown=not request.quiet) as report_applied:
        rebuild.apply(ends, report_applied)
    say("finishing")
    rebuild.finish()
    checkpoints = rebuild.checkpoints()
    ends_read = {at.partition: at.next_offset for at in checkpoints.values()}
    caught_up = asyncio.run(live_tables_caught_up(settings, rebuild.job.generation - 1, ends_read))
    say("comparing")
    connection, topic = rebuild.connection, settings.topics.raw
    note_reach(connection, checkpoints, settings.partitions)
    carry_over(connection, rebuild.job.generation, topic)
    connection.commit()
    zone = read_plant(request.plant_text).plant.time_zone
    comparison = compare(connection, rebuild.job.generation, topic, zone)
    connection.commit()
    cut = {at.partition: at for at in checkpoints.values() if at.begin and at.begin_time is not None}
    seams = {partition: at.begin_time or 0 for partition, at in cut.items()}
    return RebuildResult(rebuild.applied(), comparison, caught_up, rebuild.refused(), done, seams)


def _go_live(settings: Settings, rebuild: TableBuilder, request: RebuildRequest) -> None:
    narrow_gap(rebuild.catch_up)
    rebuild.sum_up()
    narrator = Narrator(
        settings.lang, settings.log, "rebuild", out=sys.stderr if request.quiet else sys.stdout
    )
    asyncio.run(take_over(settings, rebuild.rebuilt(), narrator))


def _require_agreement(settings: Settings) -> None:
    logged = asyncio.run(newest_rules(settings))
    if wrong := disagreement(settings, logged, rules_in_database(settings.database_url)):
        raise UserError(wrong)
