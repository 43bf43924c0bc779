"""Passwords are hidden wherever they are, in valid URLs and in malformed ones."""

import io
import json
import traceback
from contextlib import suppress

import pytest

from runtime.narrator import Narrator
from runtime.redact import redacted, without_password
from runtime.settings import Settings, SettingsError

CANARY = "k4nary"
URLS = [
    (f"mqtts://ana:{CANARY}@box:8883", "mqtts://ana:***@box:8883"),
    (f"mqtt://:{CANARY}@box", "mqtt://:***@box"),
    (f"postgresql://ana:{CANARY}@box/db?connect_timeout=3", "postgresql://ana:***@box/db?connect_timeout=3"),
    (f"postgresql://box/db?password={CANARY}", "postgresql://box/db?password=***"),
    (f"postgresql://box/db?user=ana&sslpassword={CANARY}&x=1", "postgresql://box/db?user=ana&sslpassword=***&x=1"),
    (f"postgresql://box/db?PassWord={CANARY}", "postgresql://box/db?PassWord=***"),
    (f"postgresql://box/db?p%61ssword={CANARY}", "postgresql://box/db?p%61ssword=***"),
    (f"postgresql://ana:x%40{CANARY}@box/db", "postgresql://ana:***@box/db"),
    (f"postgresql://ana%3A{CANARY}@box/db", "postgresql://ana:***@box/db"),
    # Malformed: a password with characters that should have been encoded, no scheme, a wrong one, no URL.
    (f"postgresql://ana:x@/?#{CANARY}@box/db", "postgresql://ana:***@box/db"),
    (f"postgresql://ana:x://{CANARY}@box/db", "postgresql://ana:***@box/db"),
    (f"mqtt://ana:{CANARY}%40box", "mqtt://ana:***@box"),
    (f"mqtt://[ana:{CANARY}@box", "mqtt://[ana:***@box"),
    (f"ana:{CANARY}@box:1883", "ana:***@box:1883"),
    (f"ana:x://{CANARY}@box:1883", "ana:***@box:1883"),
    (f"http:/ana:{CANARY}@box", "http:***@box"),
    (f"host=box user=ana password={CANARY} dbname=db", "host=box user=ana password=*** dbname=db"),
    (f"host=box password = 'a \\' {CANARY}' dbname=db", "host=box password = *** dbname=db"),
    (f"password=a\\ b'{CANARY} dbname=db", "password=*** dbname=db"),
]  # fmt: skip
HARMLESS = [
    "mqtt://box",
    "postgresql://postgres@localhost:5432/dashboard_kpi",
    "localhost:9092,other:9092",
    "",
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_an_url_is_shown_without_its_password(url: str, shown: str):
    """The rest of it is shown, for a person to find the mistake."""
    assert without_password(url) == shown
    assert without_password(shown) == shown


@pytest.mark.parametrize("url", HARMLESS)
def test_what_has_no_password_is_shown_as_it_is(url: str):
    """What is no password is not hidden."""
    assert without_password(url) == url
    assert redacted(f"no answer from {url}; start it") == f"no answer from {url}; start it"


@pytest.mark.parametrize(
    "text",
    [
        f"can't reach mqtt://ana:{CANARY}@box, nor postgresql://u:{CANARY}@h/db?password={CANARY}",
        f"connection failed: host=box password={CANARY} port=1",
        f"{{'user': 'ana', 'password': '{CANARY}'}}",
        f'{{"sslpassword": "{CANARY}"}}',
    ],
)
def test_a_text_is_shown_without_the_passwords_in_it(text: str):
    """Of URLs, of libpq, of JSON and of Python."""
    assert CANARY not in redacted(text)


@pytest.mark.parametrize("text", ['{"pass": 12, "fail": 1}', "user or password is wrong", "compass=3"])
def test_what_only_looks_like_a_password_stays(text: str):
    """Counts of machines, and plain sentences."""
    assert redacted(text) == text


@pytest.mark.parametrize("text", ["token" * 40_000, "a." * 100_000 + "://", "://" + ":" * 200_000 + "@"])
def test_no_text_takes_long(text: str):
    """The time grows with the text's length only: these would take minutes otherwise."""
    assert len(redacted(text)) <= len(text)


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_a_narrated_line_tells_no_password(form: str):
    """Wherever the URL came from."""
    out = io.StringIO()
    narrator = Narrator("en", form, "bridge", out)
    for url, _ in URLS[:3]:
        narrator.say("bridge.connecting", url=url)
        narrator.say("runtime.waiting", why=OSError(f"no answer from {url}"))
    assert CANARY not in out.getvalue()
    assert "***" in out.getvalue()
    if form == "json":
        assert all(json.loads(line) for line in out.getvalue().splitlines())


WRONG = [
    *[url for url, _ in URLS],
    f"mqtt://ana:{CANARY}/x@box:1883",
    f"mqtt://ana:1883/{CANARY}@box:1883",
    f"mqtt://ana:{CANARY}\u2100@box",  # urlsplit refuses it, and quotes it
    f"postgresql://u:a%zz{CANARY}@box/db",  # psycopg refuses it, and quotes it
    f"postgresql://u:{CANARY}/w@box/db",
    f"postgresql://u@box/db?schema=public&password={CANARY}",
]


@pytest.mark.parametrize(
    "name", ["MQTT_BROKER_URL", "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "LINEPULSE_LANG"]
)
@pytest.mark.parametrize("url", WRONG)
def test_a_malformed_variable_is_told_without_its_password(
    name: str, url: str, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    """Neither in its value nor in the error's text, nor in the error that caused it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, url)
    with suppress(SettingsError):
        Settings.read()
        return  # well formed
    with pytest.raises(SettingsError) as refused:
        Settings.read()
    assert CANARY not in "".join(traceback.format_exception(refused.value))
    assert name in str(refused.value)
