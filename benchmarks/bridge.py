"""The bridge's speed on real servers, beside a bare aiokafka producer that sends the same records.

`python -m benchmarks.bridge [--messages 40000] [--services native|embedded]` prints one JSON object. The
messages wait at the MQTT broker (native: Mosquitto, as linepulse asks for it to be set up) when the bridge
starts; its time runs from the first message acknowledged to the last.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.gauge import cpu_seconds, figures, metric, peak_mib
from bridge.record import Delivery, destinations, record_of
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.commands import environment
from tests.eventually import wait_until
from tests.services import Services

LINES = 20
IN_FLIGHT = 500


def payload(number: int) -> bytes:
    """A data message as a machine sends it."""
    return (
        b'{"count": 2, "targetRate": 120, "rate": 115.%d, "defects": 0, "running": true, '
        b'"temperature": 24.5, "pressure": 2.1, "timestamp": "2025-01-17T14:17:36.%03dZ"}'
        % (number % 10, number % 1000)
    )


def topic(number: int) -> str:
    return f"production/ligne{number % LINES}/data"


def preload(url: str, messages: int) -> None:
    """Publish at QoS 1, and wait until the broker has them all."""
    host, _, port = url.removeprefix("mqtt://").partition(":")
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(500)
    client.connect(host, int(port))
    client.loop_start()
    for info in [client.publish(topic(number), payload(number), qos=1) for number in range(messages)]:
        info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def start_bridge(settings: Settings) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "bridge"],
        env=environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def through_the_bridge(settings: Settings, messages: int) -> dict[str, float]:
    """Start the bridge before a full queue, and time it."""
    assert settings.http_port is not None
    port, acked = settings.http_port, "linepulse_mqtt_acked_total"
    first = start_bridge(settings)  # makes the session
    wait_until(lambda: metric(port, "linepulse_mqtt_connected") == 1, "the bridge's subscription")
    first.send_signal(signal.SIGTERM)
    first.wait(10)
    preload(settings.mqtt_broker_url, messages)
    bridge = start_bridge(settings)
    already = wait_until(lambda: metric(port, acked), "the first message")
    began, cpu = time.monotonic(), cpu_seconds(bridge.pid)
    wait_until(lambda: metric(port, acked) >= messages, "the last message", 120)
    result = figures(
        messages - already,
        time.monotonic() - began,
        cpu_seconds(bridge.pid) - cpu,
        peak_mib(bridge.pid),
    )
    bridge.send_signal(signal.SIGTERM)
    bridge.wait(10)
    stored = asyncio.run(records_in(settings))
    assert stored >= messages, f"{stored} records in the log for {messages} messages"
    return result


async def records_in(settings: Settings) -> int:
    """Records that the log holds, ticks among them."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topics.raw, number) for number in range(settings.partitions)]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


async def _produce(settings: Settings, messages: int) -> dict[str, float]:
    place = destinations(settings.partitions)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        linger_ms=5,
    )
    await producer.start()
    await producer.send_and_wait(settings.topics.raw, b"", partition=0)
    records = [
        record_of(
            Delivery(topic(n), payload(n), 1, False, False, 1 + n % 65_535),
            place(topic(n)),
            settings.mqtt_client_id,
            0,
            n,
            False,
            settings.max_payload_bytes,
        )
        for n in range(messages)
    ]
    began, cpu = time.monotonic(), time.process_time()
    unstored: deque[asyncio.Future[Any]] = deque()
    for record in records:
        if len(unstored) >= IN_FLIGHT:
            await unstored.popleft()
        sent = await producer.send(
            settings.topics.raw,
            record.value,
            key=record.key,
            timestamp_ms=int(time.time() * 1000),
            headers=record.headers,
        )
        unstored.append(sent)
    await asyncio.gather(*unstored)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    await producer.stop()
    return figures(messages, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def bare_producer(settings: Settings, messages: int) -> dict[str, float]:
    """The reference: the same records, ready made, through `AIOKafkaProducer.send`."""
    return uvloop.run(_produce(settings, messages))


def measure(kind: Any, messages: int) -> dict[str, Any]:
    """Both, one after the other, at the same servers."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services(kind, folder)
    try:
        common: dict[str, Any] = {"database_url": "postgresql://none/none", "partitions": 6}
        settings = services.settings(http_port=free_port(), **common)
        bridge = through_the_bridge(settings, messages)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            bare = pool.apply(bare_producer, (services.settings(**common), messages))
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "benchmark": "bridge",
        "services": kind,
        "messages": messages,
        "bridge": bridge,
        "bare_aiokafka_producer": bare,
        "ratio_of_rates": round(bridge["messages_per_s"] / bare["messages_per_s"], 2),
        "ratio_of_cpu": round(bridge["cpu_us_per_message"] / bare["cpu_us_per_message"], 2),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=40_000)
    arguments.add_argument("--services", choices=["native", "embedded"], default="native")
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.services, chosen.messages), indent=2))


if __name__ == "__main__":
    main()
