"""Whatever may come through `production.raw`, for property tests: all kinds of payloads, all of each field.

Most values are valid, so that they reach rules and rows; now and then one is at a bound, or beyond it.
Texts are escaped as JSON does it: lone surrogates, too, which no UTF-8 can hold.
"""

import json
import math
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.bounds import MAX_COUNT, MAX_FLOAT, MAX_QUANTITY, MAX_TEXT
from schemas.instant import DAY, END, HOUR, MINUTE, SECOND
from schemas.raw import Kind, RawHeaders, RawRecord
from tests.rules.line import at

NIGHTLY = os.environ.get("LINEPULSE_NIGHTLY") == "1"
START = at("13:58")


def examples(few: int, many: int) -> settings:
    """This many examples; in a nightly run, many more."""
    count = many if NIGHTLY else few
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=count, derandomize=not NIGHTLY, deadline=None, suppress_health_check=checks)


def around(*bounds: float) -> list[float]:
    """Bounds, and the numbers next to them."""
    return [
        near
        for bound in bounds
        for near in (math.nextafter(bound, -math.inf), bound, math.nextafter(bound, math.inf))
    ]


ODD_NUMBERS = [
    0,
    -0.0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1e-300,
    1e-9,
    -1e-9,
    1e-8,
    1e300,
    1.7976931348623157e308,
    2**53,
    2**63,
    2**64,
    -(2**63),
    10**30,
    0.1,
    1 / 3,
    *around(MAX_FLOAT, -MAX_FLOAT, 1e-9, -1e-9, MAX_COUNT),
]
NO_NUMBERS: list[Any] = [None, True, "7", "", [], {}, math.inf, math.nan]
measures = st.one_of(
    st.sampled_from([0, 1, 60, 120, 118.5, 31.5, 0.0005]),
    st.floats(-MAX_FLOAT, MAX_FLOAT),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(NO_NUMBERS),
)
counts = st.one_of(
    st.integers(0, 30),
    st.integers(0, MAX_COUNT),
    st.sampled_from(
        [MAX_COUNT, MAX_COUNT + 1, -1, 3.0, 3.5, 65_535, 2**53, 2**53 + 1, *ODD_NUMBERS, *NO_NUMBERS]
    ),
)
quantities = st.one_of(
    st.integers(1, 60),
    st.sampled_from([0, 1, MAX_QUANTITY, MAX_QUANTITY + 1, 1e8, *ODD_NUMBERS, *NO_NUMBERS]),
)
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\x01\x1f\x7f",
    "\t\n\r\\",
    "\\N",
    "\\.",
    "\\u0000",
    "\x1b[31m",
    "\ud800",
    "a\udfff",
    "é✅𐀀",
    "\u202eabc\u2066",
    "ab\u0301",
    "\u2028\ufeff\uffff",
    "[/x]",
    "{count}",
    "'; --",
    '"',
    "a" * MAX_TEXT,
    "a" * (MAX_TEXT + 1),
    "𐀀" * MAX_TEXT,
]
texts: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["A", "B", "bourrage"]),
    st.text(max_size=MAX_TEXT + 1),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from([None, 7, True, [], {"a": 1}]),
)
ODD_TIMES = [
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00-14:00",
    "9999-12-31T23:59:59.999999",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "1970-01-01",
    "1969-12-31T23:59:59.999Z",
    "2999-12-31T23:59:59Z",
    "3000-01-01T00:00Z",
    "2026-02-30",
    "2026-10-25T02:30",
    "2026-03-29T02:30",
    "2026-01-15\x0014:00",
    "2026-01-15T14:00:00.5",
    "2026-W03-4",
    "20260115T140000",
    "now",
    "",
    "2026-01-15T14:00+25:00",
    "\u0662\u0660\u0662\u0666-01-15",
    0,
    -0.0,
    -1,
    1e11,
    1e14,
    1.0000000000000002e14,
    *around(1e11, 1e14),
    5e-324,
    1737123456,
    True,
    [],
    {},
]
times = st.one_of(
    st.none(),
    st.integers(START - 2 * MINUTE, START + 10 * MINUTE),
    st.integers(START - 9 * DAY, START + 9 * DAY),
    st.sampled_from(ODD_TIMES),
    st.datetimes().map(lambda moment: moment.isoformat()),
)


def chosen(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object of some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


data = st.builds(
    lambda usual, odd: {**usual, **odd},
    st.fixed_dictionaries(
        {"count": st.integers(0, 30)}, optional={"running": st.sampled_from([True, False])}
    ),
    chosen(
        count=counts,
        defects=counts,
        targetRate=measures,
        rate=measures,
        running=st.sampled_from([True, False, None, 1, "RUN"]),
        temperature=measures,
        pressure=measures,
        timestamp=times,
        n=counts,
        unknown=texts,
    ),
)
status = st.one_of(
    chosen(
        status=st.sampled_from(["running", "stopped", "online", "offline", "?"]),
        running=st.sampled_from([True, False, None, "STOP"]),
        reason=texts,
        timestamp=times,
    ),
    st.sampled_from(["running", "stopped", "online", "offline"]).map(lambda word: {"status": word}),
)
order = st.builds(
    lambda usual, odd: {**usual, **odd},
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(["add", "close", "cancel", "correct"]),
            "productType": st.sampled_from(["A", "B"]),
            "quantity": st.integers(1, 60),
        }
    ),
    chosen(
        action=st.sampled_from(["add", "close", "cancel", "correct", "?", None]),
        orderNumber=st.sampled_from(["1", "2", "3"]) | texts,
        productType=texts,
        quantity=quantities,
        targetRate=measures,
        priority=st.sampled_from(["low", "medium", "high", "urgent", "?", None]),
        operator=texts,
        requestId=texts,
        timestamp=times,
        defects=st.integers(-MAX_COUNT - 1, MAX_COUNT + 1) | counts,
        at=times,
    ),
)
said = chosen(
    action=st.sampled_from(["reason", "plan", "unplan", "retire", "?"]),
    stop=texts,
    at=times,
    reason=texts,
    planned=st.sampled_from([True, False, None, 0]),
    start=times,
    end=times,
    requestId=st.sampled_from(["p", "q"]) | texts,
)


def as_json(value: object) -> bytes:
    """As `json.dumps` writes it: lone surrogates and control characters escaped, NaN as it is."""
    return json.dumps(value).encode()


broken = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b"-0",
            b'{"count":1}x',
            b'{"count":1e999}',
            b'{"count":' + b"9" * 5000 + b"}",
        ]
    ),
    st.sampled_from([b"running", b"stopped", b"offline", b'"online"', b'{"count":1,"rate":-0,"x":"\xff"}']),
)
messages = st.one_of(
    st.tuples(st.just(Kind.DATA), data.map(as_json)),
    st.tuples(st.just(Kind.DATA), data.map(as_json)),
    st.tuples(st.just(Kind.STATUS), status.map(as_json)),
    st.tuples(st.just(Kind.STATUS), said.map(as_json)),
    st.tuples(st.just(Kind.ORDER), order.map(as_json)),
    st.tuples(st.just(Kind.TICK), st.just(b"")),
    st.tuples(st.sampled_from(list(Kind)), broken),
)
pauses = st.one_of(
    st.integers(0, 20 * SECOND),
    st.sampled_from([-2 * SECOND, 31 * SECOND, 5 * MINUTE, HOUR, 26 * HOUR, 9 * DAY]),
)
begins = st.one_of(st.just(START), st.sampled_from([0, 1, END - 1, END - DAY, END]))
steps = st.lists(
    st.tuples(messages, st.sampled_from(["a", "b", "c"]), pauses, st.sampled_from([False] * 9 + [True])),
    max_size=25,
)


def log_of(start: int, drawn: Sequence[tuple[tuple[Kind, bytes], str, int, bool]]) -> list[RawRecord]:
    """The records, in the order of a log, of two or three lines."""
    now, records = start, []
    for offset, ((kind, payload), line, passed, retain) in enumerate(drawn):
        now += passed
        keyed = kind not in (Kind.TICK, Kind.UNROUTABLE)
        length = len(payload) if kind is Kind.OVERSIZE else None
        headers = RawHeaders(kind, f"production/{line}/{kind}", 1, retain, backlog=passed < 0, length=length)
        records.append(RawRecord(0, offset, now, line if keyed else None, headers, payload))
    return records


logs = st.builds(log_of, begins, steps)
