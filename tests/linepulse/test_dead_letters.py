"""`linepulse dead-letters`: what could not be applied is listed, and shown completely."""

import json

import psycopg
import pytest

from tests.commands import environment, linepulse
from tests.services import Services

FIRST, SECOND = "11111111-0000-4000-8000-000000000000", "11112222-0000-4000-8000-000000000000"


@pytest.fixture
def env(services: Services) -> dict[str, str]:
    """A database with two dead letters."""
    settings = services.settings(topics=False)
    env = environment(settings)
    assert linepulse(env, "setup").returncode == 0
    with psycopg.connect(settings.database_url) as connection:
        for number, reason, payload in [(FIRST, "not_json", b"{cou"), (SECOND, "not_utf8", b"\xff\x00")]:
            connection.execute(
                """INSERT INTO "DeadLetter" ("id", "lineId", "line", "topic", "partition", "offset",
                   "mqttTopic", "payload", "reason", "detail", "receivedAt")
                   VALUES (%s, 'ligne1', 'Ligne 1', 'production.raw', 0, 7, 'production/ligne1/data', %s, %s,
                   'pourquoi', '2026-07-01 10:00Z')""",
                [number, payload, reason],
            )
    return env


def test_list_names_each_with_its_reason(env: dict[str, str]) -> None:
    """All, or those of one reason."""
    assert {FIRST, SECOND} <= set(linepulse(env, "dead-letters", "list").stdout.split())
    one = linepulse(env, "dead-letters", "list", "--reason", "not_json").stdout
    assert FIRST in one
    assert SECOND not in one
    assert "2026-07-01 12:00:00+02:00" in one  # by the plant's clock, in summer
    told = json.loads(linepulse(env, "dead-letters", "list", "--json").stdout)
    assert {(letter["id"], letter["bytes"]) for letter in told} == {(FIRST, 4), (SECOND, 2)}


def test_show_gives_the_payload_whole(env: dict[str, str]) -> None:
    """Text as text, bytes that are no text as Python writes them; the beginning of an id is enough."""
    assert "payload: {cou" in linepulse(env, "dead-letters", "show", "11111").stdout
    assert r"payload: b'\xff\x00'" in linepulse(env, "dead-letters", "show", SECOND).stdout
    told = json.loads(linepulse(env, "dead-letters", "show", SECOND, "--json").stdout)
    assert (told["receivedAt"], told["payload"]) == ("2026-07-01T12:00:00+02:00", {"base64": "/wA="})


@pytest.mark.parametrize(("wanted", "told"), [("99", "no such dead letter"), ("1111", "give more of it")])
def test_show_needs_one(env: dict[str, str], wanted: str, told: str) -> None:
    """The error says that an id is unknown or too short."""
    refused = linepulse(env, "dead-letters", "show", wanted)
    assert refused.returncode == 2
    assert told in refused.stderr
