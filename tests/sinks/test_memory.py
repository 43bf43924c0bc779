"""The worker's memory while PostgreSQL is away and events go on coming."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.gauge import peak_mib
from tests.eventually import wait_until
from tests.memory import full
from tests.services import OwnServers, Services
from tests.sinks.conftest import make_plant
from tests.sinks.records import sample
from tests.sinks.test_role import count
from tests.sinks.worker import Worker, send

WIDE = "x" * 20_000
FIRST, MORE = 2000, 4000  # 80 MB more than the first 40, which are more than the worker may hold
MARGIN_MIB = 24


@pytest.mark.parametrize("how", ["frozen", "stopped"])
async def test_memory_does_not_grow_with_an_outage(
    services: Services, own: OwnServers, tmp_path: Path, how: str
) -> None:
    """After the first 2 000 events 4 000 more change nothing; afterwards all of them are rows."""
    if services.kind == "embedded":
        pytest.skip("takes a minute, and is the same there")
    postgres = own.postgres()
    settings = own.settings(postgres=postgres)
    plant, topic = make_plant(settings.database_url), settings.topics.samples
    worker = Worker(settings, tmp_path, subprocess.Popen).start()  # its memory is its own from the start
    try:

        async def more(first: int, last: int) -> None:
            await send(settings, topic, [sample(n, line=WIDE) for n in range(first, last)], lines=4)

        await more(0, 500)
        wait_until(lambda: count(plant) == 500, "the first rows")
        if how == "frozen":
            postgres.freeze()
        else:
            postgres.stop()
        await more(500, 500 + FIRST)
        before = full(worker.pid)
        await more(500 + FIRST, 500 + FIRST + MORE)
        assert full(worker.pid) - before < MARGIN_MIB
        if how == "frozen":
            postgres.thaw()
        else:
            postgres.start()
        wait_until(lambda: count(plant) == 500 + FIRST + MORE, "every row", 90)
        assert peak_mib(worker.pid) - before < 2 * MARGIN_MIB
    finally:
        worker.kill()
