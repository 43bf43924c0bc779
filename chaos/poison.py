"""Poison: messages that no machine should send. Each becomes one dead letter, whatever was sent before."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from chaos.message import Message

OVERSIZE_BYTES = 1024 * 1024
OVERSIZE_ONE_IN = 150  # poisons: with a mebibyte each, more would be a load test


class Sort(NamedTuple):
    """A sort of poison: the reason of its dead letter, the last level of its topic, its payload by number."""

    reason: str
    level: str
    payload: Callable[[int], bytes]
    numbered: bool = True


def _text(template: str) -> Callable[[int], bytes]:
    return lambda n: template.replace("@", str(n)).encode()


def _sort(reason: str, template: str, level: str = "data") -> Sort:
    return Sort(reason, level, _text(template))


OVERSIZE = Sort("oversize", "data", lambda n: b'{"n":%d,"count":1,"note":"%s"}' % (n, b"x" * OVERSIZE_BYTES))
UNROUTABLE = _sort("unroutable", '{"count":1}')
BAD_LINES = ("bad n@", "é n@", "x" * 70 + "n@", "$ n@")
SORTS = (
    Sort("empty", "data", lambda _n: b"", numbered=False),
    Sort("blank", "data", lambda _n: b" " * 5000, numbered=False),
    Sort("empty", "status", lambda _n: b"", numbered=False),
    _sort("not_json", "not json n@"),
    _sort("not_json", '{"n":@,"count":2,"targetRate":1'),
    _sort("bad_field", '{"n":@,"count":NaN}'),
    _sort("bad_field", '{"n":@,"count":-1}'),
    _sort("bad_field", '{"n":@,"count":"two"}'),
    _sort("bad_field", '{"n":@,"count":null}'),
    _sort("bad_field", '{"n":@,"count":1e308}'),
    _sort("bad_field", '{"n":@,"count":1.5}'),
    _sort("bad_field", '{"n":@,"count":1,"rate":1e10}'),
    _sort("bad_field", '{"n":@,"count":1,"timestamp":"yesterday"}'),
    _sort("bad_field", '{"n":@,"count":1,"running":"perhaps"}'),
    _sort("missing", '{"n":@,"defects":1}'),
    _sort("not_object", '[{"n":@,"count":1}]'),
    Sort("not_utf8", "data", lambda n: b'{"n":%d,"count":1,"note":"\xff\xfe"}' % n),
    _sort("too_deep", '{"n":@,"count":1,"deep":' + "[" * 3000 + "]" * 3000 + "}"),
    _sort("bad_status", "asleep n@", "status"),
    _sort("bad_field", '{"n":@,"status":"asleep"}', "status"),
    _sort("bad_field", '{"n":@,"status":"stopped","reason":"a\\u0000b"}', "status"),
    _sort("bad_field", '{"n":@,"status":"stopped","reason":"' + "x" * 201 + '"}', "status"),
    _sort("missing", '{"n":@,"productType":"Cola 33cl"}', "order"),
    _sort("bad_field", '{"n":@,"productType":"Cola 33cl","quantity":0}', "order"),
    _sort("bad_field", '{"n":@,"action":"explode"}', "order"),
    UNROUTABLE,
)


def draw(rng: Random, n: int, line: str) -> Message:
    """A poison of some sort, on a line that otherwise sends valid messages."""
    sort = OVERSIZE if rng.randrange(OVERSIZE_ONE_IN) == 0 else rng.choice(SORTS)
    return message(sort, n, rng.choice(BAD_LINES).replace("@", str(n)) if sort is UNROUTABLE else line)


def message(sort: Sort, n: int, line: str) -> Message:
    """The poison of a sort."""
    return Message(n, line, "poison", f"production/{line}/{sort.level}", sort.payload(n), sort.numbered)
