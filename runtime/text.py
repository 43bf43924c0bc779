"""Makes text from outside safe to show: what would control a terminal or forge a line of a log is escaped.

All that is written to a log or a terminal goes through here; `runtime.redact` hides its secrets.
"""

import json
import logging
import re
from typing import Any

from runtime.redact import redacted

# C0, DEL and C1 controls (ESC among them), line and paragraph separators, marks, embeddings, overrides and
# isolates that turn the direction of writing, and lone surrogates, which no encoding can write.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def plain(text: str) -> str:
    r"""The text on one line, without control characters: `\n`, `\x1b` or `\u202e` stand for them."""
    return _CONTROL.sub(_escape, text)


def plain_lines(text: str) -> str:
    """As `plain`, but keeps line feeds, which are our own."""
    return "\n".join(map(plain, text.split("\n")))


def one_line(error: BaseException) -> str:
    """An error's text on one line: PostgreSQL's and libpq's errors have several."""
    return " ".join(str(error).split())


def json_text(value: Any) -> str:
    """A value as JSON on one line; control characters in its texts are escaped as JSON has it."""
    text = json.dumps(value, ensure_ascii=False, default=lambda other: redacted(str(other)))
    return _CONTROL.sub(_json_escape, text)


class PlainFormatter(logging.Formatter):
    """Formats what libraries log: a message is one line, a traceback is indented below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        record.message = redacted(record.getMessage())
        record.asctime = self.formatTime(record, self.datefmt)
        lines = [plain(self.formatMessage(record))]
        if record.exc_info:
            lines.append(indented(self.formatException(record.exc_info)))
        if record.stack_info:
            lines.append(indented(self.formatStack(record.stack_info)))
        return "\n".join(lines)


def indented(traceback: str) -> str:
    """An indented traceback: its lines can't be taken for lines of the log, whatever the error's text is."""
    return "\n".join(f"  {plain(line)}" for line in redacted(traceback).split("\n"))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _json_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
