"""A worker ends when it is asked to, whatever became of Kafka."""

import time

from tests.eventually import wait_until
from tests.services import OwnServers
from tests.streams.raw import RawLog, Worker
from tests.streams.test_role import messages


async def test_it_ends_within_ten_seconds_while_kafka_is_gone(own: OwnServers) -> None:
    """In the middle of its work, with records fetched that it can not send on."""
    kafka = own.kafka()
    settings = own.settings(kafka=kafka, database_url="postgresql://none/none")
    async with RawLog(settings) as log:
        await log.rules()
        with Worker(settings) as worker:
            await log.write(messages(400, int(time.time() * 1000) - 3_600_000))
            wait_until(lambda: "⚙️" in worker.said, "the worker to start")
            kafka.kill()
            wait_until(lambda: "aiokafka" in worker.said, "the worker to miss Kafka", 60)
            began = time.monotonic()
            worker.end()
            assert time.monotonic() - began < 10
