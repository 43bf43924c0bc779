"""A Faust app as a role runs it: made from the settings, run in the foreground, ended cleanly by SIGTERM."""

import asyncio
import contextlib
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import faust
from mode.utils.queues import ThrowableQueue

from runtime.dead_members import client_id_of
from runtime.generation_watch import restart_process
from runtime.settings import Settings, SettingsError
from runtime.watchdog import Watchdog
from schemas.errors import Unavailable

MAX_BATCH = 2000  # records that one fetch hands over for a partition
STOP_SECONDS = 7.5
LINGER_SECONDS = 1.5
METADATA_MS = 10_000
REQUEST_S = 90.0


class Buffer(ThrowableQueue):  # type: ignore[misc]
    """The fetched batches that wait for an agent. It is never full.

    When a buffer is full, Faust waits for room in it and hands over nothing to any other agent meanwhile: for
    ever, if this agent waits for a rebuild. The buffer stays bounded all the same: a partition whose batch
    finds `pressure_high_size` batches here is not fetched further, so at most one more batch of each
    partition comes.
    """

    def full(self) -> bool:
        return False

    def in_pressure_high_state(self, callback: Callable[[], None]) -> bool:
        # Faust's own method assumes that a partition that was left out stays so: not after a rebalance.
        if self.qsize() < self.pressure_high_size:
            return False
        self._pending_pressure_drop_callbacks.add(callback)
        return True


class Source(faust.Topic):  # type: ignore[misc]
    """A topic that an agent reads."""

    _queue: ThrowableQueue | None

    @property
    def queue(self) -> ThrowableQueue:
        if self._queue is None:
            size = self.app.conf.stream_buffer_maxsize
            self._queue = Buffer(size, flow_control=self.app.flow_control, clear_on_resume=True)
        return self._queue


class App(faust.App):  # type: ignore[misc]
    """A Faust app that makes no folder: its tables are in memory and in Kafka."""

    def _create_directories(self) -> None:
        pass


def make_app(
    settings: Settings, name: str, *, declare: bool = False, max_batch: int = MAX_BATCH
) -> faust.App:
    """A Faust app of this installation; its consumer group is `<prefix>-<name>`.

    `declare`: let Faust create the changelogs of its tables. `max_batch`: records that one fetch hands over.
    """
    session = settings.kafka_session_timeout_s
    app = App(
        f"{settings.topic_prefix}-{name}",
        broker=";".join(f"kafka://{server}" for server in settings.kafka_bootstrap_servers.split(",")),
        # The member ids of the group begin with it, so a worker can find out whether it is a member.
        broker_client_id=client_id_of(name, os.getpid()),
        Topic=Source,
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        topic_allow_declare=declare,
        producer_acks=-1,
        broker_session_timeout=session,
        # Faust refuses to start if a session may last longer than a request.
        broker_request_timeout=max(REQUEST_S, session, settings.kafka_rebalance_timeout_s),
        broker_heartbeat_interval=max(0.3, session / 6),
        broker_rebalance_timeout=settings.kafka_rebalance_timeout_s,
        broker_max_poll_records=max_batch,
        # An event is a batch, so a few are enough in memory.
        stream_buffer_maxsize=4,
        # Batches in hand at a rebalance are not waited for; their epoch decides whether they may write.
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
        # This is how topics that were made anew are noticed.
        consumer_metadata_max_age_ms=METADATA_MS,
        # States are few and small, and read again from the changelog within a second.
        table_standby_replicas=0,
        web_enabled=False,
    )
    app.finalize()
    return app


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    return stop


async def run_app(
    app: faust.App,
    watchdog: Watchdog,
    *,
    stopping: Callable[[], Awaitable[object]] | None = None,
    superseded: Coroutine[Any, Any, object] | None = None,
) -> None:
    """Run the app until SIGTERM or SIGINT, then stop it within STOP_SECONDS.

    Args:
        watchdog: ends the app as a crash does.
        stopping: awaited before the app stops.
        superseded: once it is done the app stops, without `stopping`, and the process restarts.
    Raises:
        Unavailable: the app crashed, the watchdog takes it for dead, or stopping it failed; its supervisor
            starts it again, and it continues from its store.
        SettingsError: the topics are gone.
    """
    spare_the_collector()
    stop = stop_requested()
    starting = asyncio.create_task(app.start())
    failing: list[asyncio.Task[Any]] = [
        asyncio.create_task(_until_crashed(app, starting)),
        asyncio.create_task(watchdog.until_dead()),
    ]
    asked = asyncio.create_task(stop.wait())
    ending = asyncio.create_task(superseded) if superseded is not None else None
    if ending is not None:
        failing.append(ending)
    await asyncio.wait({*failing, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    failed = next((task for task in failing if task.done()), None)
    again = failed is not None and failed is ending and failed.exception() is None
    untidy = await _tidy_up([app.stop] if stopping is None or again else [stopping, app.stop])
    if again and not stop.is_set():
        restart_process()
    for task in failing:
        task.cancel()
    reason = untidy if failed is None or again else failed.exception() or failed.result()
    end_anyway(0 if reason is None else 2 if isinstance(reason, SettingsError) else 1)
    if isinstance(reason, SettingsError):
        raise reason
    if reason is not None:
        raise Unavailable(str(reason) or repr(reason)) from reason


async def _tidy_up(steps: Sequence[Callable[[], Awaitable[object]]]) -> Exception | None:
    """Take all steps within STOP_SECONDS, or give up: nothing is lost by it. Return the first error."""
    wrong: Exception | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            for step in steps:
                try:
                    await step()
                except Exception as error:
                    wrong = wrong or error
    return wrong


def end_anyway(code: int) -> None:
    """End the process after LINGER_SECONDS, if it has not ended by itself.

    While Kafka is away, Faust leaves a thread behind, and tasks that ignore their cancellation.
    """
    timer = threading.Timer(LINGER_SECONDS, os._exit, [code])
    timer.daemon = True
    timer.start()


def spare_the_collector(objects: int = 50_000) -> None:
    """Exempt the objects of the start from garbage collection, and collect less often.

    Batches have no cycles, and the collector took a fifth of a record's time.

    Args:
        objects: how many new objects start a collection; a batch should make fewer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(objects, 20, 20)


async def _until_crashed(app: faust.App, starting: asyncio.Task[bool]) -> BaseException:
    try:
        await starting
    except Exception as error:
        return error
    await app._crashed.wait()
    return app.crash_reason or RuntimeError("the Faust app crashed")
