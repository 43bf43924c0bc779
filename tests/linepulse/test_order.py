"""`linepulse order`: each request is one message in the log; the list is read from rows."""

import json
import re
from collections.abc import Iterator

import psycopg
import pytest

from runtime.settings import Settings
from tests.commands import environment, linepulse
from tests.listener import Listener
from tests.publish import publish
from tests.services import Services


@pytest.fixture
def settings(services: Services) -> Settings:
    return services.settings(topics=False)


@pytest.fixture
def orders(settings: Settings) -> Iterator[Listener]:
    """Every order message that reaches the broker."""
    with Listener(settings.mqtt_broker_url, "production/+/order") as listener:
        yield listener


def test_add_sends_one_order_at_qos_1(settings: Settings, orders: Listener) -> None:
    """All that was given, a number as the pipeline makes one, a requestId, and nothing else."""
    words = ["--line", "ligne2", "--product", "Bouteille 50cl", "--quantity", "5000", "--priority", "high"]
    done = linepulse(environment(settings), "order", "add", *words, "--no-wait")
    assert (done.returncode, done.stderr) == (0, "")
    message = orders.next()
    assert (message.topic, message.qos, message.retain) == ("production/ligne2/order", 1, False)
    fields = json.loads(message.payload)
    assert len(fields.pop("requestId")) == 36
    assert re.fullmatch(r"ORD-\d{10}-[A-Z0-9]{5}", fields.pop("orderNumber"))
    assert fields == {
        "action": "add",
        "productType": "Bouteille 50cl",
        "quantity": 5000,
        "priority": "high",
    }


@pytest.mark.parametrize("action", ["close", "cancel"])
def test_close_and_cancel_name_their_order(settings: Settings, orders: Listener, action: str) -> None:
    """The order's number goes with the message."""
    done = linepulse(
        environment(settings), "order", action, "--line", "ligne1", "--number", "ORD-1", "--no-wait"
    )
    assert done.returncode == 0
    fields = json.loads(orders.next().payload)
    assert (fields["action"], fields["orderNumber"]) == (action, "ORD-1")


def test_correct_sends_what_is_to_be_changed(settings: Settings, orders: Listener) -> None:
    """Rejects may be taken back."""
    words = ["--line", "ligne1", "--number", "ORD-1", "--quantity", "50", "--defects", "-3", "--no-wait"]
    assert linepulse(environment(settings), "order", "correct", *words).returncode == 0
    fields = json.loads(orders.next().payload)
    assert len(fields.pop("requestId")) == 36
    assert fields == {"action": "correct", "orderNumber": "ORD-1", "quantity": 50, "defects": -3}
    refused = linepulse(environment(settings), "order", "correct", "--line", "ligne1", "--number", "ORD-1")
    assert (refused.returncode, "quantity" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--line", "a/b", "--product", "x", "--quantity", "1"], "a/b"),
        (["--line", "ligne1", "--product", "x", "--quantity", "0"], "quantity"),
        (["--line", "ligne1", "--product", "x", "--quantity", "1", "--priority", "now"], "priority"),
        (["--line", "ligne1", "--product", "", "--quantity", "1"], "productType"),
    ],
)
def test_an_order_that_would_be_refused_is_not_sent(
    settings: Settings, orders: Listener, words: list[str], told: str
) -> None:
    """The field and its value on standard error, exit 2, and no message."""
    refused = linepulse(environment(settings), "order", "add", *words)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    publish(settings, [("production/ligne1/order", b"{}")])
    assert orders.next().payload == b"{}"  # nothing came before it


def test_list_shows_what_runs_first(settings: Settings) -> None:
    """Running, then waiting, then the others; percentages are floored; other lines are left out."""
    env = environment(settings)
    assert linepulse(env, "setup").returncode == 0
    with psycopg.connect(settings.database_url) as connection:
        for number, line, status, produced in [
            ("ORD-1", "ligne1", "completed", 1000),
            ("ORD-2", "ligne1", "running", 999),
            ("ORD-3", "ligne1", "waiting", 0),
            ("ORD-4", "ligne2", "running", 1),
        ]:
            connection.execute(
                """INSERT INTO "ProductionOrder" VALUES (gen_random_uuid(), %s, %s, %s, 'x', 1000, %s, 0,
                   null, null, null, null, null, %s, 'medium', null, null, now(), now(), 1, 1, 1)""",
                [line, line, number, produced, status],
            )
    listed = linepulse(env, "order", "list", "--line", "ligne1").stdout
    assert re.search(r"999 +│ 1000 +│ 99 ", listed)
    assert "ORD-4" not in listed
    assert listed.index("ORD-2") < listed.index("ORD-3") < listed.index("ORD-1")
    waiting = linepulse(env, "order", "list", "--status", "waiting").stdout
    assert "ORD-3" in waiting
    assert "ORD-2" not in waiting
    [only] = json.loads(linepulse(env, "order", "list", "--status", "waiting", "--json").stdout)
    assert (only["line"], only["number"], only["quantity"], only["started"]) == (
        "ligne1",
        "ORD-3",
        1000,
        None,
    )
