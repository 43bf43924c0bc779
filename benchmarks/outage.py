"""The bridge's memory while Kafka is frozen and machines go on, on real servers.

`python -m benchmarks.outage [--seconds 60] [--rate 4000] [--mqtt 5|3.1.1]` prints one JSON object: the
bridge's resident memory (MiB) before and at worst, what it holds, what waits at the broker and for how long
the broker says that it can go on, and how long it takes to catch up.
"""

import argparse
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.bridge import start_bridge
from benchmarks.gauge import metric, peak_mib
from benchmarks.publisher import Publisher
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.eventually import wait_until
from tests.services import AnyServer, Services

WARM_UP_S = 5.0


def through_an_outage(
    settings: Settings, kafka: AnyServer, bridge: "subprocess.Popen[bytes]", rate: int, seconds: float
) -> dict[str, float]:
    """Publish all the time; freeze Kafka after WARM_UP_S for `seconds`; wait until all is acknowledged."""
    assert settings.http_port is not None
    port = settings.http_port
    wait_until(lambda: metric(port, "linepulse_mqtt_connected") == 1, "the bridge's subscription")
    publisher = Publisher(settings.mqtt_broker_url)
    publisher.publish(rate, WARM_UP_S)
    before = peak_mib(bridge.pid)
    kafka.freeze()
    load = threading.Thread(target=publisher.publish, args=(rate, seconds))
    load.start()
    held, shortest = 0.0, float("inf")
    while load.is_alive():
        load.join(1.0)
        held = max(held, metric(port, "linepulse_mqtt_in_flight"))
        shortest = min(shortest, metric(port, "linepulse_mqtt_budget_seconds"))
    waiting, worst = metric(port, "linepulse_mqtt_broker_waiting"), peak_mib(bridge.pid)
    broker_mib = metric(port, "linepulse_mqtt_broker_memory_bytes") / (1 << 20)
    kafka.thaw()
    began, total = time.monotonic(), publisher.acknowledged
    wait_until(lambda: metric(port, "linepulse_mqtt_acked_total") >= total, "all acknowledged", 600)
    publisher.close()
    return {
        "messages": total,
        "mib_before": round(before, 1),
        "mib_at_worst_while_away": round(worst, 1),
        "mib_at_worst_catching_up": round(peak_mib(bridge.pid), 1),
        "held_by_the_bridge": held,
        "waiting_at_the_broker": waiting,
        "broker_mib": round(broker_mib, 1),
        "least_seconds_left": round(shortest),
        "seconds_to_catch_up": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Start the servers and the bridge, measure, end them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=int, default=4000)
    options.add_argument("--mqtt", choices=["5", "3.1.1"], default="5")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = Services("native", Path(folder))
        bridge = None
        try:
            settings = services.settings(
                database_url="postgresql://none/none",
                http_port=free_port(),
                mqtt_version=chosen.mqtt,
                partitions=6,
            )
            bridge = start_bridge(settings)
            figures = through_an_outage(settings, services.kafka, bridge, chosen.rate, chosen.seconds)
            print(json.dumps({"outage": {"mqtt": chosen.mqtt, "rate": chosen.rate, **figures}}, indent=2))
        finally:
            if bridge:
                bridge.kill()
                bridge.wait()
            services.stop()


if __name__ == "__main__":
    main()
