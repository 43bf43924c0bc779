"""The publisher: its ledger says what was sent, acknowledged, and sent again."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from chaos.ledger import Entry, Ledger, LedgerFile
from chaos.message import Message, number_of
from tests.commands import with_repository
from tests.eventually import wait_until
from tests.services import OwnServers, Services


@contextmanager
def publisher(url: str, ledger: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The publisher as a process."""
    command = [sys.executable, "-m", "chaos.publisher", "--url", url, "--ledger", str(ledger), *arguments]
    with subprocess.Popen(
        command, env=with_repository(os.environ), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What it prints at its end."""
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    return found


class Ear:
    """A subscriber whose session the broker keeps: what the broker accepted, as often as it did."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.heard: Counter[int | str] = Counter()
        self.first: Counter[int | str] = Counter()  # without what was delivered to us a second time
        self._ready = False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "ear", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe("production/#", 1) and None
        self._client.on_subscribe = lambda *_: setattr(self, "_ready", True)
        self._client.on_message = self._on_message
        self._client.connect(parts.hostname or "", parts.port or 1883)

    def __enter__(self) -> "Ear":
        self._client.loop_start()
        wait_until(lambda: self._ready, "the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        number = number_of(message.topic, bytes(message.payload)) or message.topic
        self.heard[number] += 1
        self.first[number] += not message.dup


def test_a_broker_that_goes_away_makes_messages_doubtful_never_lost(
    own: OwnServers, services: Services, tmp_path: Path
):
    """Each number arrives once, or as often as the ledger says that it was sent."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker forgets everything")
    broker = own.mqtt()
    path = tmp_path / "ledger"
    with (
        Ear(broker.url) as ear,
        publisher(broker.url, path, "--messages", "4000", "--rate", "1500") as process,
    ):
        for share in (500, 2000):
            wait_until(lambda share=share: ear.heard.total() > share, "messages")  # type: ignore[misc]
            broker.stop()
            broker.start()
        sums = told(process)
        ledger = Ledger.read(path)
        assert sums["sent"] == sums["acked"] == len(ledger.sent) == ledger.acked == 4000
        assert sums["again"] == sum(sent.times - 1 for sent in ledger.sent.values()) > 0
        named = {n: sent for n, sent in ledger.sent.items() if sent.numbered}
        wait_until(lambda: named.keys() <= ear.heard.keys(), "all numbers")
        assert not [n for n, sent in named.items() if ear.first[n] > sent.times]


def test_on_sigterm_it_waits_for_what_it_sent(services: Services, tmp_path: Path):
    """Then everything sent is acknowledged, and fewer than asked for."""
    path = tmp_path / "ledger"
    with publisher(services.mqtt_broker_url, path, "--messages", "100000", "--rate", "500") as process:
        wait_until(lambda: path.exists() and path.stat().st_size > 10_000, "some messages")
        process.terminate()
        sums = told(process)
    ledger = Ledger.read(path)
    assert 0 < sums["sent"] == sums["acked"] == len(ledger.sent) == ledger.acked < 100_000


def test_the_rate_is_kept(services: Services, tmp_path: Path):
    """500 messages at 500 a second take a second, not less."""
    with publisher(
        services.mqtt_broker_url, tmp_path / "ledger", "--messages", "500", "--rate", "500"
    ) as process:
        began = time.monotonic()
        assert told(process)["seconds"] >= 0.9
        assert time.monotonic() - began < 20


def test_a_ledger_that_contradicts_itself_is_refused(tmp_path: Path):
    """Two messages of one number, or an acknowledgement of nothing; a line that is cut short is left out."""
    path = tmp_path / "ledger"
    file = LedgerFile(path)
    file.sent(Message(1, "ligne1", "data", "production/ligne1/data", b""))
    file.again(1)
    file.close()
    with path.open("ab") as cut:
        cut.write(b'{"n":1,"event":"ack')
    ledger = Ledger.read(path)
    assert ledger.sent[1].times == 2
    assert not ledger.sent[1].acked
    with pytest.raises(ValueError, match="number 1 twice"):
        ledger.add(Entry(1, "sent"))
    with pytest.raises(ValueError, match="never sent"):
        ledger.add(Entry(2, "acked"))
