"""A rebuild from its first look at the log to tables that are full."""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, LiteralString, Self

import msgspec
import psycopg
from aiokafka import TopicPartition

from rebuild import shadow, workers
from rebuild.checkpoint import Checkpoint, read_checkpoints, read_refused
from rebuild.database import away, connect
from rebuild.ends import Extent, extents
from rebuild.new_generation import NewGeneration
from rebuild.work import Job
from runtime.errors import UserError
from runtime.log_end import Applied, Logs
from runtime.settings import Settings, without_password
from runtime.sql import composed, statement
from runtime.text import one_line

ENOUGH = 2000  # messages that the log may have grown by: the next round takes no time
MOST_ROUNDS = 5  # each has its price: where machines send as much meanwhile, the next brings no end nearer
ENDING_S = 3.0  # PostgreSQL lets a session go a moment after its end


class TableBuilder:
    """Makes the next generation's tables, beside the live ones. One at a time: the block holds a lock.

    Attributes:
        job: which generation, and where it is made.
        went_on: whether it goes on from where another one was cut off.
        anew: why what another one left could not be used, if it could not.
    """

    def __init__(self, settings: Settings, plant_text: str, workers: int = 1) -> None:
        self._settings = settings
        self._workers = workers
        self._plant_text = plant_text
        self._connection = connect(settings.database_url)
        self.went_on = False
        self.anew: str | None = None
        self.job: Job

    def __enter__(self) -> Self:
        try:
            self._begin()
        except psycopg.OperationalError as error:
            self._connection.close()
            raise away(error) from error
        except psycopg.errors.InsufficientPrivilege as error:
            self._connection.close()
            raise UserError(_not_ours_to_make(self._settings.database_url, error)) from error
        except BaseException:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def connection(self) -> psycopg.Connection:
        """To the database; it holds the lock that keeps other rebuilds away."""
        return self._connection

    def checkpoints(self) -> Mapping[int, Checkpoint]:
        """Where each partition stands."""
        found = read_checkpoints(self._connection, self.job.schema)
        self._connection.commit()
        return found

    def extents(self) -> dict[int, Extent]:
        """What the log holds now; a partition that was begun begins where it was begun.

        Raises:
            Unavailable: Kafka does not answer.
        """
        begun, found = self.checkpoints(), asyncio.run(extents(self._settings))
        return {
            partition: Extent(begun[partition].begin, extent.end) if partition in begun else extent
            for partition, extent in found.items()
        }

    def applied(self) -> int:
        """How many records the tables hold the effect of."""
        return sum(at.next_offset - at.begin for at in self.checkpoints().values())

    def refused(self) -> int:
        """How many rows PostgreSQL did not take: the live tables have them as dead letters of the sinks."""
        return read_refused(self._connection, self.job.schema)

    def apply(self, ends: Mapping[int, Extent], tell: Callable[[int], None]) -> None:
        """Bring the tables up to the ends of the partitions, by as many processes as were asked for.

        Raises:
            Unavailable: Kafka or PostgreSQL went away; what has a checkpoint stays.
        """
        workers.apply(self.job, ends, self._workers, tell)

    def catch_up(self) -> int:
        """Bring the tables up to where the log ends now; how many records that were."""
        ends, begun = self.extents(), self.checkpoints()
        behind = {
            partition: extent
            for partition, extent in ends.items()
            if partition not in begun or begun[partition].next_offset < extent.end
        }
        before = self.applied()
        workers.apply(self.job, behind, 1, lambda _: None)
        return self.applied() - before

    def finish(self) -> None:
        """Make the tables' keys and indexes, then catch up with what came meanwhile."""
        shadow.finish(self._connection, self.job.schema)
        # Not before all that was committed without waiting for the disk is on it.
        self._connection.commit()
        for _ in range(MOST_ROUNDS):
            if self.catch_up() <= ENOUGH:
                break

    def sum_up(self) -> None:
        """Make what follows from the windows; to be done last."""
        shadow.sum_up(self._connection, self.job.schema)
        self._connection.commit()

    def rebuilt(self) -> NewGeneration:
        """What there is now."""
        stand = self.checkpoints()
        return NewGeneration(
            self.job.generation,
            self.job.plant_text,
            {partition: at.next_offset for partition, at in stand.items()},
            {partition: {state.line_id: state for state in at.states} for partition, at in stand.items()},
            self.job.schema,
        )

    def drop(self) -> None:
        """Forget the tables."""
        shadow.drop(self._connection, self.job.schema)
        self._connection.commit()

    def _begin(self) -> None:
        connection = self._connection
        deadline = time.monotonic() + ENDING_S
        while not _value(connection, statement("rebuild.lock")):
            if time.monotonic() > deadline:
                raise UserError("another linepulse rebuild runs on this database; wait for its end")
            time.sleep(0.1)
        generation = _value(connection, statement("generation.next"))
        if generation is None:
            raise UserError("the database has no rules yet; run linepulse setup")
        schema = shadow.schema_of(generation)
        self.job = Job(self._settings, generation, self._plant_text, schema)
        if shadow.exists(connection, schema):
            self.anew = self._why_not()
            self.went_on = self.anew is None
        if not self.went_on:
            shadow.create(connection, schema)
            connection.execute(composed("rebuild.begin", schema=schema), [generation, *self._made_from()])
        connection.commit()

    def _made_from(self) -> tuple[str, str, str, int]:
        revision = str(_value(self._connection, statement("schema.revision")))
        return self._plant_text, revision, self._settings.topics.raw, self._settings.partitions

    def _why_not(self) -> str | None:
        """Why what another rebuild left can't be gone on with, None if it can."""
        connection, schema = self._connection, self.job.schema
        row = connection.execute(composed("rebuild.read", schema=schema)).fetchone()
        if row is None or tuple(row) != self._made_from():
            return "other_rules" if row and row[0] != self._plant_text else "other_release"
        if shadow.unlike(connection, schema):
            return "other_tables"
        try:
            stand = read_checkpoints(connection, schema)
        except msgspec.MsgspecError:
            return "other_release"
        return asyncio.run(self._whose_log_is_gone(stand))

    async def _whose_log_is_gone(self, stand: Mapping[int, Checkpoint]) -> str | None:
        logs, topic = Logs(self._settings.kafka_bootstrap_servers), self._settings.topics.raw
        where = {TopicPartition(topic, partition): at for partition, at in stand.items()}
        applied = {
            tp: Applied(at.next_offset - 1, at.last_time)
            for tp, at in where.items()
            if at.begin_time is not None
        }
        if await logs.others(applied):
            return "other_log"
        begins = await logs.begins(where)
        return "expired" if any(begins[tp] > at.next_offset for tp, at in where.items()) else None


def _value(connection: psycopg.Connection, query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def _not_ours_to_make(database_url: str, error: psycopg.Error) -> str:
    return (
        f"DATABASE_URL: {without_password(database_url)}: {one_line(error)}; a rebuild makes a"
        " schema of its own: GRANT CREATE ON DATABASE to this user, or run it as the owner of the tables"
    )
