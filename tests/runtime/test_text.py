"""Text from outside: control characters are escaped wherever a person or a program reads it."""

import io
import json
import logging

import pytest

from runtime.narrator import Narrator, quiet_libraries
from runtime.text import json_text, plain, plain_lines

FORGED = "ORD-1\n2026-01-15 ERROR forged\x1b[2J\x9b31m\x7f\u2028\u202e\u2066\ud800"
SHOWN = r"ORD-1\n2026-01-15 ERROR forged\x1b[2J\x9b31m\x7f\u2028\u202e\u2066\ud800"
# Without the surrogate: pytest keeps what is logged, and its workers can't send that to one another.
LOGGED, LOGGED_SHOWN = FORGED[:-1], SHOWN.removesuffix(r"\ud800")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ligne 1: 31.2 °C 🚨", "Ligne 1: 31.2 °C 🚨"),
        ("a\r\n\tb\0", r"a\r\n\tb\x00"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\u202egnp.exe\u202c\u2069\u200f", r"\u202egnp.exe\u202c\u2069\u200f"),
        ("\u0085\u2029", r"\x85\u2029"),
        (FORGED, SHOWN),
    ],
)
def test_what_steers_a_terminal_or_forges_a_line_is_made_visible(text: str, shown: str):
    """Everything else stays as it is."""
    assert plain(text) == shown
    assert len(shown.splitlines()) == 1


def test_a_text_of_several_lines_keeps_its_own():
    """Each is made harmless by itself."""
    assert plain_lines("one\x1b\ntwo\r") == "one\\x1b\ntwo\\r"


def test_json_is_one_line_and_says_the_same():
    """A reader of JSON gets the very text back."""
    written = json_text({"number": FORGED})
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert json.loads(written) == {"number": FORGED}


def test_an_order_number_forges_no_line_of_the_narrated_log():
    """Neither for people nor as JSON."""
    pretty, as_json = io.StringIO(), io.StringIO()
    for form, out in (("pretty", pretty), ("json", as_json)):
        Narrator("en", form, "sinks", out).say("sinks.order_created", number=FORGED, quantity=1)
    for out in (pretty, as_json):
        assert len(out.getvalue().splitlines()) == 1
        assert not set(out.getvalue()) & set("\x1b\x9b\x7f\u2028\u202e\u2066\ud800")
    assert SHOWN in pretty.getvalue()
    assert json.loads(as_json.getvalue())["number"] == FORGED


@pytest.fixture
def logged():
    """A library's log message, as a role writes it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with io.StringIO() as out:
        quiet_libraries()
        (handler,) = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(out)
        yield out
    root.handlers[:] = before
    root.setLevel(level)


def test_a_library_that_logs_a_payload_forges_no_line(logged: io.StringIO):
    """Its message is one line; a traceback is indented beneath it, whatever the error says."""
    try:
        raise ValueError(f"bad value {LOGGED}\n2026-01-15 ERROR forged: again")
    except ValueError:
        logging.getLogger("faust").exception("can't decode %s", LOGGED)
    first, *traceback = logged.getvalue().splitlines()
    assert first.endswith(f"ERROR faust: can't decode {LOGGED_SHOWN}")
    assert traceback
    assert all(line.startswith("  ") for line in traceback)
    assert "\x1b" not in logged.getvalue()


def test_a_library_that_logs_an_url_tells_no_password(logged: io.StringIO):
    """Not in its message and not in its traceback."""
    url = "postgresql://ana:s3cret@box/db?sslpassword=s3cret"
    try:
        raise OSError(f"can't reach {url} (host=box password=s3cret)")
    except OSError:
        logging.getLogger("aiokafka").exception("lost %s", url)
    assert "ana:***@box" in logged.getvalue()
    assert "s3cret" not in logged.getvalue()
