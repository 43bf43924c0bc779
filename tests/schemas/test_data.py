"""The fast parser of data messages: whatever it accepts, the careful parser reads alike."""

import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.data import Data, Limits, careful_data, parse_data, usual_data
from schemas.errors import Poison
from tests.rules.test_fold import POISON

USUAL = (
    b'{"count": 4, "targetRate": 120, "rate": 115.5, "defects": 0, "running": true,'
    b' "temperature": 25.2, "pressure": 2.1, "timestamp": "2026-01-15T10:00:00Z"}'
)
names = st.sampled_from([*Data.__struct_encode_fields__, "target_rate", "x"])
values = st.one_of(
    st.integers(-3, 1_000_003).map(json.dumps),
    st.integers(-(2**70), 2**70).map(json.dumps),
    st.floats().map(json.dumps),
    st.text(max_size=70).map(json.dumps),
    st.text(max_size=70).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        ["null", "true", "false", "[]", "{}", "01", "1.", "-0", "-0.0", "1e2", "1e400", "1E+", '"\\ud800"']
    ),
)
spaces = st.sampled_from(["", " ", "\n\t", "\x00"])


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """JSON objects, nearly: fields of a data message and others, in any order, also twice."""
    fields = draw(st.lists(st.tuples(names, values), max_size=9))
    fields.insert(draw(st.integers(0, len(fields))), ("count", draw(values)))
    space = draw(spaces)
    return (space + "{" + ",".join(f'"{k}":{space}{v}' for k, v in fields) + "}").encode(
        "utf-8", "surrogatepass"
    )


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The usual message, with some bytes put in place of others."""
    at = draw(st.integers(0, len(USUAL)))
    return USUAL[:at] + draw(st.binary(max_size=3)) + USUAL[at + draw(st.integers(0, 6)) :]


@settings(max_examples=1500, deadline=None)
@given(objects() | damaged() | st.sampled_from([*POISON]))
@example(b'{"count":1,"x":"\xff"}')
@example(b'{"count":1,"defects":null}')
@example(b'{"count":3.0}')
@example(b'{"count":3.5}')
@example(b'{"count":3,"defects":0.5}')
@example(b'{"count":3.0,"defects":-0.0}')
@example(b'{"count":1,"target_rate":5}')
@example(b'{"count":1,"target\\u005frate":5}')
@example(b'{"count":1,"x":' + b"[" * 20 + b"]" * 20 + b"}")
@example(b'{"count":1,"x":' + b'{"x":' * 20 + b"1" + b"}" * 21)
def test_what_the_fast_way_accepts_the_careful_way_reads_alike(payload):
    """Every field of it, to the last bit, and of the same type."""
    for limits in (Limits(), Limits(65_535, 99)):
        fast = usual_data(payload, limits)
        if fast is not None:
            assert repr(fast) == repr(careful_data(payload, limits))


def test_the_usual_message_is_read_the_fast_way():
    """With or without what may be left out, and with fields that nobody knows."""
    for payload in (
        USUAL,
        b'{"count": 2}',
        b'{"count": 2.0, "defects": 0.0}',
        b'{"count": 2, "colour": "vert \xc3\xa9meraude"}',
    ):
        assert usual_data(payload) is not None


def test_the_bounds_of_a_counter_are_its_own():
    """What is over its highest value names the field."""
    assert parse_data(b'{"count": 9007199254740992}', Limits(2**53)).count == 2**53
    assert parse_data(b'{"count": 65535.0}', Limits(65_535)) == Data(65_535)
    for payload in (b'{"count": 65536}', b'{"count": 65536.0}', b'{"count": -1}'):
        with pytest.raises(Poison) as caught:
            parse_data(payload, Limits(65_535))
        assert (caught.value.reason, caught.value.facts["field"]) == ("bad_field", "count")


def test_defects_that_are_not_told_are_none():
    """Of a counter, 0 would be a reading."""
    assert parse_data(b'{"count": 2}').defects is None
    assert parse_data(b'{"count": 2.0}').defects is None
    assert parse_data(b'{"count": 2, "defects": 0}').defects == 0
    assert msgspec.structs.asdict(Data(2))["defects"] is None
