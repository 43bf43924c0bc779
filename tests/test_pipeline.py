"""The whole way, from MQTT to PostgreSQL, with every role in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands import ROOT, running
from tests.eventually import wait_until
from tests.publish import publish
from tests.services import Services
from tests.whole_plant import Plant

pytestmark = pytest.mark.both

LINES = 5
ORDERS = "[line.order]\nquantity = 300\n"  # small, so that many orders begin and end


@pytest.fixture
def plant(services: Services, tmp_path: Path) -> Iterator[Plant]:
    """Three servers, set up; no role runs yet."""
    plant = Plant(services, tmp_path, ORDERS)
    yield plant
    plant.close()


@contextmanager
def sent(simulator: "subprocess.Popen[str]", lines: dict[str, Any]) -> Iterator[None]:
    """While the simulator publishes; afterwards `lines` holds what it says it sent."""
    try:
        yield
        out, _ = simulator.communicate(timeout=120)
        assert simulator.returncode == 0
        lines.update(json.loads(out)["lines"])
    finally:
        simulator.kill()
        simulator.wait()


def all_stored(plant: Plant, messages: int, seconds: float = 120) -> None:
    wait_until(lambda: plant.number('SELECT count(*) FROM "ProductionData"') >= messages, "all rows", seconds)
    # What follows from the last messages comes on other topics.
    made = plant.number('SELECT sum("bottlesProduced") FROM "ProductionData"')
    wait_until(
        lambda: plant.number('SELECT sum(produced) FROM "ProductionOrder"') >= made, "all orders", seconds
    )


def check(plant: Plant, lines: dict[str, Any], messages: int) -> None:
    """Right to the unit: against what the simulator says, and against itself."""
    assert plant.number('SELECT count(*) FROM "ProductionData"') == messages * len(lines)
    data = plant.rows(
        'SELECT "lineId", count(*) AS messages, sum("bottlesProduced") AS pieces,'
        ' sum("defectCount") AS defects FROM "ProductionData" GROUP BY 1'
    )
    told = {name: (line["messages"], line["pieces"], line["defects"]) for name, line in lines.items()}
    assert {row["lineId"]: (row["messages"], row["pieces"], row["defects"]) for row in data} == told
    orders = plant.rows('SELECT * FROM "ProductionOrder" ORDER BY "startTime", "createdAt"')
    for name, line in lines.items():
        mine = [order for order in orders if order["lineId"] == name]
        assert sum(order["produced"] for order in mine) == line["pieces"]
        assert sum(order["defects"] for order in mine) == line["defects"]
        running = [order for order in mine if order["status"] != "completed"]
        assert len(running) <= 1
        for order in mine:
            if order["status"] == "completed":
                assert order["produced"] >= order["quantity"]
                assert order["endTime"] is not None
    assert not plant.rows(
        'SELECT a.id FROM "Downtime" a JOIN "Downtime" b ON a."lineId" = b."lineId" AND a.id <> b.id'
        ' WHERE a."startTime" < coalesce(b."endTime", \'infinity\')'
        '   AND b."startTime" < coalesce(a."endTime", \'infinity\')'
    )
    assert not plant.rows(
        'SELECT 1 FROM "Alert" WHERE status = \'open\' GROUP BY "lineId", type HAVING count(*) > 1'
    )
    assert plant.number('SELECT count(*) FROM "DeadLetter"') == 0


@pytest.fixture
def count(services: Services) -> int:
    """Messages a line: at full size on servers made for it."""
    return 400 if services.kind == "embedded" else 2000


@pytest.mark.quick
def test_ten_thousand_messages_at_full_speed_are_right_to_the_unit(plant: Plant, count: int):
    """Rows, pieces, orders, stops, alerts."""
    for role in ("bridge", "streams", "sinks"):
        plant.role(role)
    lines: dict[str, Any] = {}
    with sent(plant.simulate("--lines", str(LINES), "--count", str(count), "--seed", "7"), lines):
        all_stored(plant, count * LINES)
    check(plant, lines, count)


def test_workers_killed_and_added_in_the_middle_change_no_number(plant: Plant, count: int):
    """`streams` and `sinks` die by SIGKILL and start again; a second worker of each joins."""
    plant.role("bridge")
    streams, sinks = plant.role("streams"), plant.role("sinks")
    lines: dict[str, Any] = {}

    def stored(share: float) -> None:
        wait_until(
            lambda: plant.number('SELECT count(*) FROM "ProductionData"') >= share * count * LINES,
            f"{share:.0%} of the rows",
            60,
        )

    with sent(plant.simulate("--lines", str(LINES), "--count", str(count), "--seed", "8"), lines):
        stored(0.05)
        streams.process.kill()
        sinks.process.kill()
        plant.role("streams")
        plant.role("sinks")
        stored(0.3)
        plant.role("streams")
        second = plant.role("sinks")
        stored(0.5)
        second.process.kill()
        all_stored(plant, count * LINES)
    check(plant, lines, count)


BAD = [
    b"",
    b"not json",
    b'{"count": 2, "targetRate": 1',
    b'{"count": -1}',
    b'{"count": "two"}',
    b'{"count": null}',
    b'{"count": 1e308}',
    b'{"count": NaN}',
    b" " * 1024 * 1024,
    b'{"count": 1, "note": "\xff\xfe"}',
    b'{"count": 1, "deep": ' + b"[" * 3000 + b"]" * 3000 + b"}",
]


def test_bad_input_is_a_dead_letter_each_and_harms_nobody(plant: Plant):
    """Everything that a machine might send; its neighbours go on, and no process dies."""
    roles = [plant.role(role) for role in ("bridge", "streams", "sinks")]
    good = b'{"count": 1, "running": true}'
    messages = [("production/ligne1/data", good), ("production/ligne2/data", good)]
    for payload in BAD:
        messages += [("production/ligne1/data", payload), ("production/ligne1/data", good)]
    messages += [("production/bad name/data", good), ("production/ligne2/status", b"asleep")]
    messages += [("production/ligne2/data", good)]
    publish(plant.settings, messages)
    expected = len(BAD) + 2
    wait_until(lambda: plant.number('SELECT count(*) FROM "DeadLetter"') >= expected, "the dead letters")
    wait_until(lambda: plant.number('SELECT count(*) FROM "ProductionData"') >= len(BAD) + 3, "the rows")
    letters = plant.rows('SELECT * FROM "DeadLetter" ORDER BY "receivedAt", "offset"')
    assert len(letters) == expected
    assert {letter["reason"] for letter in letters} == {
        "empty", "not_json", "bad_field", "oversize", "not_utf8", "too_deep", "unroutable", "bad_status",
    }  # fmt: skip
    assert all(letter["detail"] for letter in letters)
    assert plant.number('SELECT count(*) FROM "ProductionData"') == len(BAD) + 3
    assert all(role.process.poll() is None for role in roles)


def test_the_guides_walk(plant: Plant, tmp_path: Path):
    """`linepulse run`, test-mqtt.py, the narrated lines, and the guide's two queries verbatim."""
    with running(plant.env, tmp_path / "run", "run") as run:
        run.says("📡 En écoute des messages MQTT...")
        broker = {"MQTT_BROKER_URL": plant.settings.mqtt_broker_url}
        test = subprocess.run(
            [sys.executable, str(ROOT / "test-mqtt.py"), "--test"],
            env={**plant.env, **broker}, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert test.returncode == 0, test.stderr
        assert test.stdout.count("📊 Données envoyées") == 3
        run.says("📈 KPIs mis à jour")
        wait_until(lambda: plant.number('SELECT count(*) FROM "ProductionData"') == 3, "three rows")
        for line in (
            "🚀 Démarrage du service MQTT...",
            f"🔌 Connexion au broker MQTT: {plant.settings.mqtt_broker_url}",
            "✅ Connecté au broker MQTT",
            "📡 Abonné au topic: production/+/data",
            "📡 Abonné au topic: production/+/status",
            "✨ Service MQTT démarré avec succès",
            "📥 Message reçu sur production/ligne1/data: {",
            "✅ Données production enregistrées: ",
            "📦 Nouvel ordre de production créé: ORD-",
        ):
            run.says(line)
        data = plant.rows('SELECT * FROM "ProductionData" ORDER BY timestamp DESC LIMIT 10;')
        orders = plant.rows("SELECT * FROM \"ProductionOrder\" WHERE status = 'running';")
        assert len(data) == 3
        assert [order["produced"] for order in orders] == [sum(row["bottlesProduced"] for row in data)]
        assert run.end() == 0
