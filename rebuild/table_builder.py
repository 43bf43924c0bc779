"""Builds the shadow tables of the next generation, or resumes building them."""

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

ENOUGH = 2000  # messages; if the log has grown by no more, another round is not worth it
MOST_ROUNDS = 5  # each takes its time: if machines send as much meanwhile, another round gains nothing
ENDING_S = 3.0  # PostgreSQL releases a lock shortly after its session's end


class TableBuilder:
    """Makes the next generation's tables, beside the live ones. One at a time: the block holds a lock.

    Attributes:
        job: which generation, and where it is made.
        resumed: whether it resumes a rebuild that was interrupted.
        not_resumed: why an interrupted rebuild could not be resumed; None if there was none, or it could.
    """

    def __init__(self, settings: Settings, plant_text: str, workers: int = 1) -> None:
        self._settings = settings
        self._workers = workers
        self._plant_text = plant_text
        self._connection = connect(settings.database_url)
        self.resumed = False
        self.not_resumed: str | None = None
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
        """The connection that holds the lock against other rebuilds."""
        return self._connection

    def checkpoints(self) -> Mapping[int, Checkpoint]:
        """The newest checkpoint of each partition."""
        found = read_checkpoints(self._connection, self.job.schema)
        self._connection.commit()
        return found

    def extents(self) -> dict[int, Extent]:
        """What the log holds now; a partition with a checkpoint keeps the beginning noted there.

        Raises:
            Unavailable: Kafka does not answer.
        """
        begun, found = self.checkpoints(), asyncio.run(extents(self._settings))
        return {
            partition: Extent(begun[partition].begin, extent.end) if partition in begun else extent
            for partition, extent in found.items()
        }

    def applied(self) -> int:
        """How many records have their effect in the tables."""
        return sum(at.next_offset - at.begin for at in self.checkpoints().values())

    def refused(self) -> int:
        """How many rows PostgreSQL refused: the live tables have them as dead letters of the sinks."""
        return read_refused(self._connection, self.job.schema)

    def apply(self, ends: Mapping[int, Extent], on_applied: Callable[[int], None]) -> None:
        """Bring the tables up to the ends of the partitions, with as many processes as were asked for.

        Raises:
            Unavailable: Kafka or PostgreSQL went away; what has a checkpoint is kept.
        """
        workers.apply(self.job, ends, self._workers, on_applied)

    def catch_up(self) -> int:
        """Bring the tables up to the log's current end; return the number of records applied."""
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
        """Make the tables' keys and indexes, then catch up with records that came meanwhile."""
        shadow.finish(self._connection, self.job.schema)
        # This commit waits for the disk, and so for all earlier commits that did not.
        self._connection.commit()
        for _ in range(MOST_ROUNDS):
            if self.catch_up() <= ENOUGH:
                break

    def sum_up(self) -> None:
        """Make "KPISum" from the windows; to be called last."""
        shadow.sum_up(self._connection, self.job.schema)
        self._connection.commit()

    def rebuilt(self) -> NewGeneration:
        """The generation as it is now."""
        found = self.checkpoints()
        return NewGeneration(
            self.job.generation,
            self.job.plant_text,
            {partition: at.next_offset for partition, at in found.items()},
            {partition: {state.line_id: state for state in at.states} for partition, at in found.items()},
            self.job.schema,
        )

    def drop(self) -> None:
        """Drop the tables."""
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
            self.not_resumed = self._why_not_resumable()
            self.resumed = self.not_resumed is None
        if not self.resumed:
            shadow.create(connection, schema)
            connection.execute(composed("rebuild.begin", schema=schema), [generation, *self._made_from()])
        connection.commit()

    def _made_from(self) -> tuple[str, str, str, int]:
        revision = str(_value(self._connection, statement("schema.revision")))
        return self._plant_text, revision, self._settings.topics.raw, self._settings.partitions

    def _why_not_resumable(self) -> str | None:
        """Why the rebuild that left these tables can't be resumed, None if it can."""
        connection, schema = self._connection, self.job.schema
        row = connection.execute(composed("rebuild.read", schema=schema)).fetchone()
        if row is None or tuple(row) != self._made_from():
            return "other_rules" if row and row[0] != self._plant_text else "other_release"
        if shadow.differences(connection, schema):
            return "other_tables"
        try:
            found = read_checkpoints(connection, schema)
        except msgspec.MsgspecError:
            return "other_release"
        return asyncio.run(self._why_log_unusable(found))

    async def _why_log_unusable(self, found: Mapping[int, Checkpoint]) -> str | None:
        logs, topic = Logs(self._settings.kafka_bootstrap_servers), self._settings.topics.raw
        where = {TopicPartition(topic, partition): at for partition, at in found.items()}
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
