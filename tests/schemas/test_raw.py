"""Headers of raw records: the usual ones, which are read by position, and all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.raw import Kind, RawHeaders

USUAL = RawHeaders(Kind.DATA, "production/ligne1/data", 1, True, False, 17, "linepulse-bridge", 2, 4211)


@given(st.permutations(USUAL.encode()))
def test_headers_are_read_in_any_order(headers):
    """In the order in which they are written, and in all others."""
    assert RawHeaders.decode(headers) == USUAL
    assert RawHeaders.decode([*headers, ("backlog", b"1")]) == replace(USUAL, backlog=True)


def test_as_many_headers_by_other_names_are_not_taken_for_ours():
    """A record that no bridge wrote."""
    others = [("kind", b"data"), *((f"h{n}", b"1") for n in range(8))]
    with pytest.raises(KeyError):
        RawHeaders.decode(others)
    with pytest.raises(ValueError, match="header kind"):
        RawHeaders.decode([("kind", b"x"), *others[1:]])
