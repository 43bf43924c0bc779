"""`test-mqtt.py`, as the guide has people run it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventually import wait_until
from tests.listener import Listener
from tests.services import Services

pytestmark = pytest.mark.both

SCRIPT = Path(__file__).parents[1] / "test-mqtt.py"


def run(
    *options: str, url: str, python: tuple[str, ...] = (sys.executable,)
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*python, str(SCRIPT), *options],
        env={**os.environ, "MQTT_BROKER_URL": url, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_three_messages_and_their_narrated_lines(services: Services):
    """--test sends three, says so in the guide's words, and each arrives once."""
    with Listener(services.mqtt_broker_url, "production/ligne1/data") as listener:
        done = run("--test", url=services.mqtt_broker_url)
        assert done.returncode == 0, done.stderr
        wait_until(lambda: len(listener.heard) >= 3, "three messages")
    address = services.mqtt_broker_url.removeprefix("mqtt://")
    first, second, *sent = done.stdout.splitlines()
    assert first == f"🔌 Connexion à {address}..."
    assert second == "✅ Connecté ! Envoi de données toutes les 2 secondes..."
    assert sent[0] == "[1] 📊 Données envoyées: cadence=115 b/min, défauts=0"
    for number, line in enumerate(sent, 1):
        assert re.fullmatch(rf"\[{number}\] 📊 Données envoyées: cadence=\d+ b/min, défauts=\d+", line)
    assert len(sent) == len(listener.heard) == 3


def test_bottles_follow_from_the_rate(services: Services):
    """Every message has all fields, and its bottles are what the rate makes in two seconds, to the bottle."""
    with Listener(services.mqtt_broker_url, "production/ligne1/data") as listener:
        run("--test", url=services.mqtt_broker_url)
        wait_until(lambda: len(listener.heard) >= 3, "three messages")
    payloads = [payload for _, payload in listener.heard]
    made = 0.0
    counted = 0
    for payload in payloads:
        assert set(payload) == {
            "count", "targetRate", "rate", "defects", "running", "temperature", "pressure", "timestamp"
        }  # fmt: skip
        made += payload["rate"] * 2 / 60
        counted += payload["count"]
        assert counted == int(made)
        assert payload["timestamp"].endswith("+00:00")


def test_without_a_broker_it_says_what_to_do():
    """Nobody there: one sentence with the address, exit 1."""
    done = run("--test", url="mqtt://127.0.0.1:1")
    assert done.returncode == 1
    assert "Aucun broker MQTT sur 127.0.0.1:1" in done.stderr


def test_without_paho_it_says_what_to_install():
    """A Python that has no paho-mqtt is told the guide's command."""
    done = run("--test", url="mqtt://127.0.0.1:1", python=(sys.executable, "-I", "-S"))
    assert done.returncode == 1
    assert "pip3 install paho-mqtt" in done.stderr


def test_an_unknown_option_is_refused():
    """A misspelt --test does not publish for ever."""
    done = run("--tset", url="mqtt://127.0.0.1:1")
    assert done.returncode == 1
    assert "--test" in done.stderr


@pytest.mark.parametrize(
    "url", ["mqtt://ana:1234/x@127.0.0.1:1", "mqtt://ana:12\u210034@x", "mqtt://[ana:1234@x"]
)
def test_an_url_with_a_password_that_is_not_encoded_is_refused_and_not_shown(url: str):
    """Not a word of it, and no traceback."""
    done = run("--test", url=url)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "MQTT_BROKER_URL" in done.stderr
    assert "12" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
