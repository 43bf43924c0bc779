"""Payloads: what machines may send, and how everything else is refused."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.timestamps import event_time
from schemas.errors import Poison
from schemas.instant import ms_of, text_of
from schemas.payloads import Data, parse_data, parse_order, parse_status


def reason(parse, payload: bytes) -> tuple[str, object]:
    with pytest.raises(Poison) as caught:
        parse(payload)
    return caught.value.reason, caught.value.facts.get("field")


def test_only_count_is_required():
    """Everything else has a meaning when it is absent."""
    assert parse_data(b'{"count": 2}') == Data(count=2)


def test_a_machine_that_knows_only_floats_may_send_3_0():
    """Whole, all the same."""
    count = parse_data(b'{"count": 3.0, "defects": 1.0}').count
    assert (count, type(count)) == (3, int)
    assert reason(parse_data, b'{"count": 3.5}') == ("bad_field", "count")


def test_unknown_fields_are_ignored():
    """They stay in the log."""
    assert parse_data(b'{"count": 1, "colour": {"r": [1, 2]}}').count == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "1000001"),
        ("count", "true"),
        ("defects", "-1"),
        ("rate", "1e10"),
        ("rate", "-Infinity"),
        ("rate", '"115"'),
        ("temperature", "NaN"),
        ("running", '"perhaps"'),
        ("timestamp", "true"),
        ("timestamp", "-1"),
    ],
)
def test_a_field_out_of_its_bounds_is_named(field, value):
    """One reason, one field."""
    rest = "" if field == "count" else '"count": 1, '
    assert reason(parse_data, f'{{{rest}"{field}": {value}}}'.encode()) == ("bad_field", field)


def test_nesting_up_to_16_levels_is_read_and_brackets_in_text_do_not_count():
    """The object itself is the first level."""
    parse_data(b'{"count": 1, "x": ' + b"[" * 15 + b"]" * 15 + b"}")
    parse_data(b'{"count": 1, "x": "' + b"[{" * 50 + b'\\"[["}')
    assert reason(parse_data, b'{"count": 1, "x": ' + b"[" * 16 + b"]" * 16 + b"}")[0] == "too_deep"


@pytest.mark.parametrize(
    "payload", [b"running", b'"running"', b" RUNNING\n", b'{"status":"running"}', b'{"running":true}']
)
def test_a_status_is_a_word_bare_or_quoted_or_json(payload):
    """All the same thing."""
    assert parse_status(payload).status == "running"


def test_another_word_is_refused():
    """With the word."""
    assert reason(parse_status, b"asleep")[0] == "bad_status"
    assert reason(parse_status, b'{"status": "asleep"}') == ("bad_field", "status")
    assert reason(parse_status, b"{}") == ("missing", "status")


def test_a_planned_order_needs_a_product_and_a_quantity():
    """Closing one needs neither."""
    assert reason(parse_order, b'{"productType": "Eau"}') == ("missing", "quantity")
    assert reason(parse_order, b'{"quantity": 3}') == ("missing", "productType")
    assert reason(parse_order, b'{"productType": "a\\u0000b", "quantity": 3}') == ("bad_field", "productType")
    assert reason(parse_order, b'{"productType": "", "quantity": 3}') == ("bad_field", "productType")
    assert parse_order(b'{"action": "close"}').order_number is None


def test_a_timestamp_is_iso_8601_or_seconds_or_milliseconds():
    """Without an offset: the plant's clock."""
    expected = 1_768_467_600_000
    for sent in (
        1_768_467_600,
        1_768_467_600.0,
        expected,
        "2026-01-15T09:00:00Z",
        "2026-01-15T10:00:00+01:00",
        "2026-01-15T10:00:00",
        "2026-01-15 10:00:00.000",
    ):
        assert event_time(sent, "Europe/Paris") == expected
    assert event_time(None, "Europe/Paris") is None
    with pytest.raises(Poison):
        event_time("yesterday", "Europe/Paris")


@given(st.datetimes(timezones=st.timezones()).filter(lambda moment: 1971 < moment.year < 2200))
def test_a_point_in_time_survives_its_text(moment):
    """To the millisecond."""
    ms = ms_of(moment)
    assert event_time(text_of(ms), "UTC") == ms
    assert math.isclose(ms / 1000, moment.timestamp(), abs_tol=0.001)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_poison(payload):
    """There is no third way out."""
    for parse in (parse_data, parse_status, parse_order):
        with suppress(Poison):
            assert parse(payload) is not None
