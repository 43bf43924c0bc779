"""Hides the passwords in URLs and texts, so that none reaches a log, a terminal or an error."""

import re
from urllib.parse import unquote

HIDDEN = "***"
# Found in the name of a parameter. `pass` alone only in an URL: in free text it may be what a machine counts.
_SECRET = r"(?:passw|passphrase|passfile|pwd|secret|token|scram)"
_SECRET_PARAMETER = re.compile(rf"pass|{_SECRET}", re.IGNORECASE)
_HINT = re.compile(rf"://|{_SECRET}", re.IGNORECASE)
# Repetitions are bounded, because a text can be crafted so that a regular expression takes for ever.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,30}"
_URL = re.compile(rf"(?P<scheme>\b{_SCHEME}://)(?P<rest>\S*)")
_PARAMETER = re.compile(r"(?P<name>[?&][^=&]*)=(?P<value>[^&]*)")
# libpq's `name=value`, Python's and JSON's `"name": "value"`. A value may be quoted, with escapes.
_PAIR = re.compile(
    rf"(?P<name>\b\w{{0,40}}{_SECRET}\w{{0,40}})(?P<is>\s{{0,9}}=\s{{0,9}}|['\"]\s{{0,9}}[:=]\s{{0,9}})"
    r"(?P<value>'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|(?:\\.|[^\s&])+)",
    re.IGNORECASE,
)


def without_password(url: str) -> str:
    """An URL, or what was meant to be one, without its password.

    It need not be well formed: a password is what is between a colon and the last `@`, the value of a
    parameter whose name says so, percent-encoded or not, and libpq's `password=...`.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or re.fullmatch(_SCHEME, scheme) is None:
        scheme, separator, rest = "", "", url
    return _pairs(scheme + separator + _hidden(rest))


def redacted(text: str) -> str:
    """A text of any kind, with the passwords of the URLs and parameters in it hidden."""
    if _HINT.search(text) is None:
        return text
    return _pairs(_URL.sub(lambda found: found["scheme"] + _hidden(found["rest"]), text))


def _hidden(rest: str) -> str:
    """What follows `scheme://`, redacted. An unescaped `/`, `?`, `#` or `@` may be part of the password."""
    info, at, host = rest.rpartition("@" if "@" in rest else "%40")
    if at:
        user, colon, _ = re.sub("%3a", ":", info, flags=re.IGNORECASE).partition(":")
        if colon:
            rest = f"{user}:{HIDDEN}@{host}"
    return _PARAMETER.sub(_hidden_parameter, rest)


def _hidden_parameter(found: re.Match[str]) -> str:
    secret = _SECRET_PARAMETER.search(unquote(found["name"]))
    return f"{found['name']}={HIDDEN}" if secret else found[0]


def _pairs(text: str) -> str:
    return _PAIR.sub(rf"\g<name>\g<is>{HIDDEN}", text)
