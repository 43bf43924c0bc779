"""A worker that starts takes those of its host that died out of the group, and no others."""

import os
import socket
import time

import pytest

from runtime.dead_members import _is_dead, client_id_of, take_out_dead
from streams.changelog import app_name
from tests.eventually import wait_until
from tests.services import Services
from tests.streams.raw import RawLog, Worker


async def test_a_killed_worker_is_taken_out_and_a_frozen_one_is_not(services: Services) -> None:
    """Its successor has the partitions although the session of the killed one lasts for minutes."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker does not report members")
    settings = services.settings(kafka_session_timeout_s=300)
    servers, name = settings.kafka_bootstrap_servers, app_name(1)
    group = f"{settings.topic_prefix}-{name}"
    async with RawLog(settings) as log:
        await log.rules()
        await log.write([("ligne1", int(time.time() * 1000), {"count": 1})])
        with Worker(settings) as worker:
            await log.applied()
            worker.freeze()
            assert await take_out_dead(servers, group, name) == 0
            worker.thaw()
            worker.kill()
            wait_until(lambda: not worker.runs, "its end")
        await log.write([("ligne1", int(time.time() * 1000), {"count": 1})])
        with Worker(settings) as successor:
            await log.applied()
            assert await take_out_dead(servers, group, name) == 0
            assert successor.runs


async def test_without_kafka_nobody_waits_for_long() -> None:
    """The session's end will do the same."""
    assert await take_out_dead("127.0.0.1:9", "group", "streams-1") == 0


def test_who_is_dead() -> None:
    """A process of this host that is gone, or that had our own number before us; never one elsewhere."""
    gone = 2**22 + 1  # no kernel gives so high a number
    assert _is_dead(client_id_of("streams-1", gone), "streams-1")
    assert _is_dead(client_id_of("streams-1", os.getpid()), "streams-1")
    assert not _is_dead(client_id_of("streams-1", os.getppid()), "streams-1")
    assert not _is_dead(client_id_of("streams-2", gone), "streams-1")
    assert not _is_dead(f"streams-1-not{socket.gethostname()}-{gone}", "streams-1")
    assert not _is_dead(f"streams-1-{socket.gethostname()}-{gone}-x", "streams-1")
