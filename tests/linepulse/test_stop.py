"""`linepulse stop` and `line`: what a person says of a line becomes one message in the log."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from runtime.settings import Settings
from schemas.operator_message import parse_operator_message
from tests.commands import environment, linepulse
from tests.listener import Listener
from tests.publish import publish
from tests.services import Services


@pytest.fixture
def settings(services: Services) -> Settings:
    return services.settings(topics=False)


@pytest.fixture
def said(settings: Settings) -> Iterator[Listener]:
    """Every status message that reaches the broker."""
    with Listener(settings.mqtt_broker_url, "production/+/status") as listener:
        yield listener


WORDS = [
    (
        ["stop", "reason", "--line", "ligne1", "bourrage", "--planned"],
        {"action": "reason", "reason": "bourrage", "planned": True},
    ),
    (
        ["stop", "reason", "--line", "ligne1", "--stop", "abc", "--unplanned"],
        {"action": "reason", "stop": "abc", "planned": False},
    ),
    (
        ["stop", "plan", "--line", "ligne1", "2026-01-15T14:00", "2026-01-15T14:30", "--reason", "pause"],
        {"action": "plan", "start": "2026-01-15T14:00", "end": "2026-01-15T14:30", "reason": "pause"},
    ),
    (["line", "retire", "ligne1"], {"action": "retire"}),
    (["line", "forget", "ligne1"], {"action": "forget"}),
]


@pytest.mark.parametrize(("words", "fields"), WORDS, ids=lambda words: " ".join(words)[:12])
def test_what_a_person_says_is_one_status_message_at_qos_1(
    settings: Settings, said: Listener, words: list[str], fields: dict[str, object]
) -> None:
    """All that was given, nothing that was not, and a requestId; the pipeline takes it."""
    done = linepulse(environment(settings), *words, "--no-wait")
    assert (done.returncode, done.stderr) == (0, "")
    message = said.next()
    assert (message.topic, message.qos, message.retain) == ("production/ligne1/status", 1, False)
    told = json.loads(message.payload)
    assert len(told.pop("requestId")) == 36
    assert told == fields
    assert parse_operator_message(bytes(message.payload)) is not None


def test_a_plan_prints_what_takes_it_back(settings: Settings, said: Listener) -> None:
    """The same requestId."""
    env = environment(settings)
    times = ["2026-01-15T14:00", "2026-01-15T14:30"]
    plan = linepulse(env, "stop", "plan", "--line", "ligne1", *times, "--no-wait")
    request = json.loads(said.next().payload)["requestId"]
    assert request in plan.stdout
    assert linepulse(env, "stop", "unplan", "--line", "ligne1", request, "--no-wait").returncode == 0
    assert json.loads(said.next().payload) == {"action": "unplan", "requestId": request}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stop", "reason", "--line", "ligne1"], "reason"),
        (["stop", "reason", "--line", "ligne1", "x" * 201], "reason"),
        (["stop", "reason", "--line", "ligne1", "x", "--at", "yesterday"], "yesterday"),
        (["stop", "plan", "--line", "ligne1", "soon", "2026-01-15T14:30"], "soon"),
        (
            ["stop", "plan", "--line", "ligne1", "2026-01-15 15:00", "2026-01-15T14:30+01:00"],
            "2026-01-15 15:00",
        ),
        (["line", "retire", "a/b"], "a/b"),
    ],
)
def test_what_would_be_refused_is_not_sent(
    settings: Settings, said: Listener, words: list[str], told: str
) -> None:
    """What is wrong on standard error, exit 2, and no message."""
    refused = linepulse(environment(settings), *words)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    publish(settings, [("production/ligne1/status", b"{}")])
    assert said.next().payload == b"{}"  # nothing came before it


def test_list_shows_what_lasts_first(settings: Settings) -> None:
    """Then the newest; those of another line or kind are left out."""
    env = environment(settings)
    assert linepulse(env, "setup").returncode == 0
    with psycopg.connect(settings.database_url) as connection:
        for line, category, reason, start, end in [
            ("ligne1", "unplanned", "bourrage [/x]\n\x1b[2J", "10:00:07.25", "10:05"),
            ("ligne1", "unplanned", "casse", "11:00", None),
            ("ligne1", "planned", "pause", "12:00", "12:20"),
            ("ligne2", "unplanned", "format", "10:00", None),
        ]:
            connection.execute(
                """INSERT INTO "Downtime" ("id", "lineId", "line", "category", "reason", "startTime",
                   "endTime", "createdAt", "updatedAt", "generation", "versionTime", "versionOffset")
                   VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, now(), now(), 1, 1, 1)""",
                [line, line, category, reason, f"2026-01-15 {start}Z", end and f"2026-01-15 {end}Z"],
            )
    listed = linepulse(env, "stop", "list", "--line", "ligne1").stdout
    assert "format" not in listed
    assert listed.index("casse") < listed.index("pause") < listed.index("bourrage")
    # By the plant's clock, in winter; what is in a text is only text.
    assert r"│ 2026-01-15 11:00:07.250+01:00 │ 2026-01-15 11:05:00+01:00 " in listed
    assert r"│ bourrage [/x]\n\x1b[2J " in listed
    told = json.loads(linepulse(env, "stop", "list", "--line", "ligne1", "--json").stdout)
    assert [stop["reason"] for stop in told] == ["casse", "pause", "bourrage [/x]\n\x1b[2J"]
    assert (told[0]["end"], told[2]["start"]) == (None, "2026-01-15T11:00:07.250+01:00")
    planned = linepulse(env, "stop", "list", "--category", "planned").stdout
    assert "pause" in planned
    assert "casse" not in planned
