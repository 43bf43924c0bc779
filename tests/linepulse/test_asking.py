"""Commands report the real outcome for an order, a stop or a line, or that none was seen."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linepulse.cli import app
from linepulse.operator_message import publish as publish_said
from linepulse.outcome import Effect
from runtime.settings import Settings
from schemas.raw import Kind
from tests.commands import VARIABLES, environment, linepulse
from tests.eventually import wait_until
from tests.publish import publish
from tests.services import OwnServers, Services
from tests.whole_plant import Plant

RULES = """
[plant]
time_zone = "Europe/Paris"
language = "en"

[line]
silence_s = 900

[lines.dite]
name = "Dite"
"""


@pytest.fixture(scope="module")
def plant(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A whole pipeline, for all tests here; each has a line of its own."""
    plant = Plant(services, tmp_path_factory.mktemp("asking"), RULES)
    for role in ("bridge", "streams", "sinks"):
        plant.role(role)
    says(plant, "prete")
    yield plant
    plant.close()


def says(plant: Plant, line: str, count: int = 5, **fields: Any) -> None:
    """Publish a count, and wait for its row."""
    before = plant.number(f"""SELECT count(*) FROM "ProductionData" WHERE "lineId" = '{line}'""")
    payload = json.dumps({"count": count, "running": True, **fields}).encode()
    publish(plant.settings, [(f"production/{line}/data", payload)])
    wait_until(
        lambda: plant.number(f"""SELECT count(*) FROM "ProductionData" WHERE "lineId" = '{line}'""") > before,
        "its row",
    )


def run(env: dict[str, str], *words: str) -> Result:
    """Run a command in this process, which is faster."""
    ours = {name: value for name, value in env.items() if name.startswith(VARIABLES)}
    return CliRunner().invoke(app, words, env=ours, catch_exceptions=False)


def ask(plant: Plant, *words: str, code: int = 0) -> dict[str, Any]:
    """The outcome of a command, as JSON."""
    done = run({**plant.env, "LINEPULSE_LANG": "en"}, *words, "--json")
    assert (done.exit_code, done.stderr) == (code, ""), done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def listed(plant: Plant) -> dict[str, dict[str, Any]]:
    """The rows of `line list`, by line."""
    done = run(plant.env, "line", "list", "--json")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return {row["line"]: row for row in json.loads(done.stdout)}


def add(
    plant: Plant, line: str, number: str, quantity: int = 100, code: int = 0, *more: str
) -> dict[str, Any]:
    words = ["--line", line, "--product", "Eau", "--quantity", str(quantity), "--number", number]
    return ask(plant, "order", "add", *words, *more, code=code)


def test_an_order_is_added_modified_and_refused_by_its_number(plant: Plant):
    """A new one is planned, a waiting one modified, one that runs or is done stays as it is."""
    words = ["--line", "dite", "--product", "Eau", "--quantity", "100"]
    planned = ask(plant, "order", "add", *words)
    (row,) = planned["rows"]
    assert (planned["outcome"], row["status"], row["quantity"]) == ("applied", "waiting", 100)
    assert re.fullmatch(r"ORD-\d{10}-[A-Z0-9]{5}", row["number"])  # as the pipeline makes one
    ask(plant, "order", "cancel", "--line", "dite", "--number", row["number"])
    assert "planned" in add(plant, "dite", "N-1")["message"]
    modified = add(plant, "dite", "N-1", 250)
    assert (modified["outcome"], modified["rows"][0]["quantity"]) == ("applied", 250)
    assert "modified (quantity 100 -> 250)" in modified["message"]
    says(plant, "dite")
    running = add(plant, "dite", "N-1", 300, code=1)
    assert (running["outcome"], running["rows"][0]["quantity"]) == ("refused", 250)
    assert ask(plant, "order", "close", "--line", "dite")["rows"][0]["number"] == "N-1"
    done = add(plant, "dite", "N-1", 300, code=1)
    assert (done["outcome"], done["rows"][0]["status"]) == ("refused", "completed")


def test_an_order_ends_once_and_an_unknown_one_is_refused(plant: Plant):
    """With the pipeline's own reason; what is so already is reported as unchanged."""
    says(plant, "fin")
    closed = ask(plant, "order", "close", "--line", "fin")
    (row,) = closed["rows"]
    assert (closed["outcome"], row["status"], row["produced"]) == ("applied", "completed", 5)
    number = row["number"]
    again = ask(plant, "order", "close", "--line", "fin", "--number", number)
    assert (again["outcome"], again["rows"]) == ("unchanged", [row])
    other = ask(plant, "order", "cancel", "--line", "fin", "--number", number, code=1)
    assert (other["outcome"], other["rows"]) == ("refused", [row])
    for words in (
        ["close"],
        ["cancel", "--number", "N-9"],
        ["correct", "--number", "N-9", "--quantity", "5"],
    ):
        refused = ask(plant, "order", words[0], "--line", "fin", *words[1:], code=1)
        assert refused["outcome"] == "refused"
        assert ("unknown order: N-9" if "N-9" in words else "no order is running") in refused["message"]


def test_a_correction_is_shown_as_what_it_changed(plant: Plant):
    """Of an order that runs, and of one that is done; rejects that were never counted are not taken back."""
    says(plant, "juste", defects=2)
    number = plant.rows("""SELECT "orderNumber" n FROM "ProductionOrder" WHERE "lineId" = 'juste'""")[0]["n"]
    words = ["order", "correct", "--line", "juste", "--number", number]
    both = ask(plant, *words, "--quantity", "4000", "--defects", "3")
    assert (both["rows"][0]["quantity"], both["rows"][0]["defects"]) == (4000, 5)
    assert "quantity 10000 -> 4000, defects 2 -> 5" in both["message"]
    assert ask(plant, *words, "--defects", "-1")["rows"][0]["defects"] == 4
    refused = ask(plant, *words, "--defects", "-9", code=1)
    assert "only 4 defects" in refused["message"]
    ask(plant, "order", "close", "--line", "juste")
    assert ask(plant, *words, "--defects", "6")["rows"][0]["defects"] == 10


def test_a_listed_time_names_its_stop(plant: Plant):
    """As it is printed, with T or without; at another time there is no stop."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    for minute, running in enumerate([True, False, True, False, True, False]):
        at = (begin + timedelta(minutes=10 * minute, milliseconds=137)).isoformat(timespec="milliseconds")
        says(plant, "arrets", 1 if running else 0, running=running, timestamp=at)
    stops = json.loads(run(plant.env, "stop", "list", "--line", "arrets", "--json").stdout)
    latest, second, first = stops
    assert latest["end"] is None
    for stop, separator in ((first, " "), (second, "T")):
        at = stop["start"].replace("T", separator)
        told = ask(plant, "stop", "reason", "--line", "arrets", f"of {stop['id']}", "--at", at)
        assert [(row["id"], row["reason"]) for row in told["rows"]] == [(stop["id"], f"of {stop['id']}")]
    planned = ask(plant, "stop", "reason", "--line", "arrets", "--stop", first["id"], "--planned")
    assert (planned["rows"][0]["id"], planned["rows"][0]["category"]) == (first["id"], "planned")
    open_ = ask(plant, "stop", "reason", "--line", "arrets", "panne")
    assert (open_["rows"][0]["id"], open_["rows"][0]["reason"]) == (latest["id"], "panne")
    refused = ask(plant, "stop", "reason", "--line", "arrets", "x", "--at", first["end"], code=1)
    assert "no such stop" in refused["message"]


def test_an_announced_stop_is_seen_though_no_row_tells_of_it(plant: Plant):
    """And taken back; what was never announced is refused."""
    words = ["stop", "plan", "--line", "dite", "2099-01-15 14:00", "2099-01-15T14:30", "--reason", "pause"]
    told = ask(plant, *words)
    (row,) = told["rows"]
    assert (row["start"], row["end"]) == ("2099-01-15T14:00:00+01:00", "2099-01-15T14:30:00+01:00")
    assert told["requestId"] in told["message"]
    assert ask(plant, "stop", "unplan", "--line", "dite", told["requestId"])["outcome"] == "applied"
    for _ in range(2):  # the second time, there is a dead letter with the very same bytes already
        refused = ask(plant, "stop", "unplan", "--line", "dite", "never", code=1)
        assert "no planned stop was announced" in refused["message"]
    past = ask(plant, *words[:4], "2001-01-15", "2001-01-16", code=1)
    assert "not more than 7 days ago" in past["message"]


def test_a_line_is_retired(plant: Plant):
    """It is back when it sends again."""
    says(plant, "partie")
    assert ask(plant, "line", "retire", "partie")["outcome"] == "applied"
    refused = ask(plant, "line", "retire", "dite2", code=1)
    assert "has never spoken" in refused["message"]


def test_a_line_is_forgotten_and_its_rows_stay(plant: Plant):
    """The list is without it, and messages about it are refused."""
    says(plant, "passante")
    wait_until(lambda: "passante" in listed(plant), "its state")
    found = listed(plant)["passante"]
    assert (found["declared"], found["state"], found["retired"]) == (False, "running", False)
    assert ask(plant, "line", "forget", "passante")["outcome"] == "applied"
    assert "passante" not in listed(plant)
    refused = ask(plant, "line", "forget", "passante", code=1)
    assert "has never spoken" in refused["message"]
    assert plant.number("""SELECT count(*) FROM "ProductionData" WHERE "lineId" = 'passante'""") > 0


@pytest.mark.parametrize(
    "words",
    [
        ["order", "add", "--product", "x", "--quantity", "1", "--line"],
        ["order", "close", "--line"],
        ["stop", "reason", "x", "--line"],
        ["stop", "plan", "2099-01-15", "2099-01-16", "--line"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_mistyped_line_is_refused_and_nothing_is_sent(plant: Plant, words: list[str]):
    """With similar names; for an order, with the option for a new line."""
    says(plant, "ligne41")
    letters = plant.number('SELECT count(*) FROM "DeadLetter"')
    refused = ask(plant, *words, "linge41", code=1)
    assert refused["outcome"] == "refused"
    assert "ligne41" in refused["message"]
    assert ("--new-line" in refused["message"]) == ("add" in words)
    if "add" in words:
        assert ask(plant, *words, "neuve", "--new-line")["rows"][0]["status"] == "waiting"
    assert plant.number('SELECT count(*) FROM "DeadLetter"') == letters


def test_people_read_a_sentence_and_the_row(plant: Plant):
    """On standard output; a refusal on standard error."""
    env = {**plant.env, "LINEPULSE_LANG": "fr"}
    words = ["order", "add", "--line", "dite", "--product", "[/x]", "--quantity", "7", "--number", "N-7"]
    done = run(env, *words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("✅ dite: ordre N-7 planifié\n")
    assert re.search(r"│ N-7 +│ \[/x\] +│ 0 +│ 7 ", done.stdout)
    refused = run(env, "order", "close", "--line", "dite", "--number", "N-99")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "❌ dite: refusé: unknown order: N-99" in refused.stderr  # the reason in the plant's language


def test_what_nobody_applies_is_not_told_as_done(services: Services, monkeypatch: pytest.MonkeyPatch):
    """The broker has it, but no role runs: exit 3 and where to look. The same without a database."""
    settings = services.settings(topics=False)
    env = environment(settings, LINEPULSE_LANG="en")
    words = ["order", "add", "--line", "ligne1", "--product", "x", "--quantity", "1", "--new-line"]
    monkeypatch.setattr(Effect, "patience_s", 0.5)
    assert linepulse(env, "setup").returncode == 0
    unseen = run(env, *words)
    assert (unseen.exit_code, unseen.stdout) == (3, "")
    assert (
        "its effect was not seen in 0.5 s: see linepulse doctor, then linepulse order list" in unseen.stderr
    )
    away = run({**env, "DATABASE_URL": "postgresql://127.0.0.1:1/x"}, *words)
    assert (away.exit_code, away.stdout) == (3, "")
    assert "PostgreSQL does not answer" in away.stderr
    sent = run(env, *words, "--no-wait")
    assert (sent.exit_code, sent.stderr) == (0, "")


def test_a_database_that_freezes_is_not_waited_for(own: OwnServers, monkeypatch: pytest.MonkeyPatch):
    """The message is sent all the same, and its outcome is not known: exit 3."""
    postgres = own.postgres()
    settings = own.settings(postgres=postgres, topics=False)
    env = environment(settings, LINEPULSE_LANG="en")
    assert linepulse(env, "setup").returncode == 0
    monkeypatch.setattr("linepulse.outcome.ANSWER_S", 0.5)

    def send(settings: Settings, line: str, kind: Kind, payload: bytes) -> None:
        publish_said(settings, line, kind, payload)
        postgres.freeze()

    monkeypatch.setattr("linepulse.request.publish", send)
    words = ["order", "add", "--line", "ligne1", "--product", "x", "--quantity", "1", "--new-line"]
    try:
        unseen = run(env, *words)
    finally:
        postgres.thaw()
    assert (unseen.exit_code, unseen.stdout) == (3, "")
    assert "PostgreSQL does not answer" in unseen.stderr
