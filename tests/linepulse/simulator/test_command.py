"""`linepulse simulate` against a real broker, counted by a subscriber that knows nothing of it."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

from tests.eventually import wait_until
from tests.listener import Listener
from tests.services import OwnServers, Services


def start(url: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "linepulse", "simulate", *options],
        env={**os.environ, "MQTT_BROKER_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    lines: dict[str, Any] = json.loads(out)["lines"]
    return lines


def heard(listener: Listener, line_id: str) -> dict[str, int]:
    data = listener.data(line_id)
    return {
        "messages": len(data),
        "pieces": sum(p["count"] for p in data),
        "defects": sum(p["defects"] for p in data),
        "statuses": len(listener.statuses(line_id)),
    }


def test_count_publishes_exactly_what_it_says(services: Services):
    """With --count the numbers on stdout are those that a subscriber counts, line by line, in order."""
    with Listener(services.mqtt_broker_url) as listener:
        said = told(start(services.mqtt_broker_url, "--lines", "3", "--count", "500", "--seed", "4"))
        expected = sum(line["messages"] + line["statuses"] for line in said.values())
        wait_until(lambda: len(listener.heard) >= expected, "all messages")
    assert set(said) == {"ligne1", "ligne2", "ligne3"}
    for line_id, line in said.items():
        assert line["messages"] == 500
        assert line == heard(listener, line_id)
        stamps = [p["timestamp"] for t, p in listener.heard if t.split("/")[1] == line_id]
        assert stamps == sorted(stamps)


def test_ctrl_c_ends_it_with_the_sums(services: Services):
    """Interrupted, it waits for what is in flight, says what was sent, and ends well."""
    with Listener(services.mqtt_broker_url) as listener:
        process = start(services.mqtt_broker_url, "--lines", "2", "--rate", "50", "--history", "5m")
        wait_until(lambda: len(listener.data("ligne2")) > 70, "live messages after the past")
        process.send_signal(signal.SIGINT)
        said = told(process)
        expected = sum(line["messages"] + line["statuses"] for line in said.values())
        wait_until(lambda: len(listener.heard) >= expected, "all messages")
    assert said == {line_id: heard(listener, line_id) for line_id in ("ligne1", "ligne2")}


def test_a_broker_that_comes_back_gets_every_message(own: OwnServers):
    """While the broker is away nothing is forgotten: the machines' messages follow with their own times."""
    #  broker ────────      ──────────
    #  sent   ·········     ·:::::····     1000 in all
    broker = own.mqtt()
    with Listener(broker.url) as listener:
        process = start(broker.url, "--lines", "1", "--rate", "200", "--seconds", "5")
        wait_until(lambda: len(listener.data("ligne1")) > 100, "the first messages")
    broker.stop()
    broker.start()
    assert told(process)["ligne1"]["messages"] == 1000


def test_no_broker_is_one_clear_sentence():
    """Where nobody answers it ends at once, names the variable and prints nothing to stdout."""
    process = start("mqtt://127.0.0.1:1", "--count", "1")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("MQTT_BROKER_URL: no MQTT broker answers on 127.0.0.1:1")


def test_what_does_not_go_together_is_refused(services: Services):
    """--count takes no --history, and a history is a duration."""
    for options in (("--count", "5", "--history", "8h"), ("--history", "soon")):
        process = start(services.mqtt_broker_url, *options)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 2
        assert "--history" in err
