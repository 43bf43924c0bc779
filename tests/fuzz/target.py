"""Bytes as a small log, through parser, fold and rows: what a fuzzer mutates, and what its corpus replays.

A record is a line: a letter for its kind (d, s, o, t: data, status, order, tick), one for its line (a, b, c),
one for the pause before it, then its payload.
"""

from rules.partition import Lines
from schemas.instant import DAY, HOUR, MINUTE, SECOND
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import decode, encode
from streams import agent
from tests.rules.payloads import START
from tests.rules.test_every_payload import (
    RULES,
    failed,
    holds_what_postgresql_takes,
    is_the_same_rebuilt,
)
from tests.rules.test_fold import consumer_record

KINDS = {
    "d": Kind.DATA,
    "s": Kind.STATUS,
    "o": Kind.ORDER,
    "t": Kind.TICK,
    "u": Kind.UNROUTABLE,
    "z": Kind.OVERSIZE,
}
PAUSES = [0, 2 * SECOND, 5 * SECOND, 31 * SECOND, -SECOND, MINUTE, HOUR, DAY + HOUR, 9 * DAY]
MOST = 40  # records


def log_of(data: bytes) -> list[RawRecord]:
    """The records that the bytes stand for; any bytes do."""
    now, records = START, list[RawRecord]()
    for line in data.split(b"\n")[:MOST]:
        head, payload = line[:3].ljust(3, b"\0"), line[3:]
        kind = KINDS.get(chr(head[0])) or list(KINDS.values())[head[0] % len(KINDS)]
        now += PAUSES[head[2] % len(PAUSES)]
        line_id = "abc"[head[1] % 3]
        headers = RawHeaders(kind, f"production/{line_id}/{kind}", 1, retain=head[1] > 0xF0)
        key = None if kind in (Kind.TICK, Kind.UNROUTABLE) else line_id
        records.append(RawRecord(0, len(records), now, key, headers, payload))
    return records


def one_input(data: bytes) -> None:
    """Nothing fails, and each row is one that PostgreSQL takes, the same live and rebuilt."""
    lines = Lines(RULES, "production.raw", 0, failed=failed)
    for record in log_of(data):
        for change in agent.changes(lines, consumer_record(record)):
            event = change.form()
            holds_what_postgresql_takes(event)
            is_the_same_rebuilt(event)
    for state in lines.states.values():
        assert decode(encode(state)) == state
