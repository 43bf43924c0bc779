"""The line that people see for a message."""

from bridge.flow import SHOWN_CHARACTERS, shown


def test_json_is_shown_as_it_is() -> None:
    """With its accents."""
    assert shown('{"reason": "panne étiqueteuse"}'.encode()) == '{"reason": "panne étiqueteuse"}'


def test_a_payload_never_leaves_its_line() -> None:
    """Line ends and terminal sequences are blanks, other bytes a mark, and what is long is cut."""
    assert shown(b"a\r\nb\x1b[2Jc") == "a  b [2Jc"
    assert shown(b"\xff{}") == "\N{REPLACEMENT CHARACTER}{}"
    assert len(shown("é".encode() * 5_000)) == SHOWN_CHARACTERS
