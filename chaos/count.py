"""Compares the number of rows and of records on the tape with the ledger, message by message."""

from collections import Counter
from collections.abc import Iterable

from chaos.ledger import Ledger, Sent
from chaos.message import number_of
from chaos.partition_tape import mqtt_topic_of
from chaos.tape import Tape
from chaos.verdict import Verdict

LETTERS = "dead letters of "
TABLE_OF = {"data": "ProductionData", "poison": "DeadLetter"}


class Count:
    """Counts rows and records by number; those without a number, by topic."""

    def __init__(self, ledger: Ledger) -> None:
        self._sent = ledger.sent
        self._rows: Counter[int] = Counter()
        self._records: Counter[int] = Counter()  # on the tape, without those of superseded runs
        self._gone: Counter[int | str] = Counter()  # deleted before the stream stage saw them
        self._unnumbered_rows: Counter[str] = Counter()
        self._unnumbered_records: Counter[str] = Counter()

    def tape(self, tape: Tape) -> None:
        """Count the records on the tape."""
        for partition in tape.partitions:
            left_out = tape.left_out(partition)
            for record in tape.messages(partition):
                topic = mqtt_topic_of(record)
                n = number_of(topic, record.value or b"")
                if any(record.offset in gone for gone in left_out):
                    self._gone[topic if n is None else n] += 1
                if n is None:
                    self._unnumbered_records[topic] += 1
                else:
                    self._records[n] += 1

    def applied(self) -> dict[int, int]:
        """How often each message is in the log, without records that were deleted before they were applied.

        Messages without a number are only counted by topic: each counts once, and the last of a topic as
        often as is needed to make up the total.
        """
        found: dict[int, int] = {}
        last: dict[str, int] = {}
        left = Counter(
            {topic: there - self._gone[topic] for topic, there in self._unnumbered_records.items()}
        )
        for n, sent in self._sent.items():
            if sent.numbered:
                found[n] = self._records[n] - self._gone[n]
            else:
                found[n] = min(left[sent.topic], 1)
                left[sent.topic] -= found[n]
                last[sent.topic] = n
        for topic, n in last.items():
            found[n] += left[topic]
        return found

    def data(self, line_id: str, pressure: float | None) -> None:
        """Count a row of `"ProductionData"`."""
        if pressure is None:
            self._unnumbered_rows[f"production/{line_id}/data"] += 1
        else:
            self._rows[int(pressure)] += 1

    def letter(self, mqtt_topic: str | None, payload: bytes) -> None:
        """Count a row of `"DeadLetter"`, unless its record came from no machine."""
        n = number_of(mqtt_topic, payload)
        if n is not None:
            self._rows[n] += 1
        elif mqtt_topic is not None:
            self._unnumbered_rows[_letters_of(mqtt_topic)] += 1

    def judge(self, verdict: Verdict) -> None:
        """Add what is lost, doubled and unknown to the verdict, and the messages' numbers."""
        for n, sent in self._sent.items():
            verdict.count(f"{sent.kind} messages")
            verdict.count("acknowledged", sent.acked)
            verdict.count("sent again", sent.times > 1)
            if sent.numbered:
                self._judge(n, sent, verdict)
        self._judge_unnumbered(verdict)
        for n, times in self._rows.items():
            if n not in self._sent:
                verdict.unknown.add(f"number {n} has {times} rows")
        for n, times in self._records.items():
            if n not in self._sent:
                verdict.unknown.add(f"number {n} has {times} records in the log")

    def _judge(self, n: int, sent: Sent, verdict: Verdict) -> None:
        records, gone = self._records[n], self._gone[n]
        what = f"number {n} ({sent.kind} of {sent.line}, sent {sent.times} times"
        what += ", acknowledged)" if sent.acked else ", not acknowledged)"
        _within(f"{what} in the log", records, sent.least, sent.times, verdict)
        if sent.kind in TABLE_OF:
            least = 0 if gone else sent.least
            where = f"{what} in {TABLE_OF[sent.kind]}, {records} times in the log"
            _within(where, self._rows[n], least, sent.times - gone, verdict)

    def _judge_unnumbered(self, verdict: Verdict) -> None:
        unnumbered = [sent for sent in self._sent.values() if not sent.numbered]
        in_log = _bounds((sent.topic, sent) for sent in unnumbered)
        in_rows = _bounds((_rows_key(sent), sent) for sent in unnumbered if sent.kind in TABLE_OF)
        for found, bounds, what in (
            (self._unnumbered_records, in_log, "the log"),
            (self._unnumbered_rows, in_rows, "rows"),
        ):
            for key in found.keys() | bounds.keys():
                least, most = bounds.get(key, (0, 0))
                gone = self._gone[key.removeprefix(LETTERS)] if what == "rows" else 0
                _within(f"{key} without a number in {what}", found[key], least - gone, most, verdict)


def _within(what: str, found: int, least: int, most: int, verdict: Verdict) -> None:
    if found < least:
        verdict.lost.add(f"{what}: {found}, at least {least} expected")
    elif found > most:
        verdict.doubled.add(f"{what}: {found}, at most {most} expected")


def _bounds(sent: Iterable[tuple[str, Sent]]) -> dict[str, tuple[int, int]]:
    """The lowest and highest allowed count of each key."""
    bounds: dict[str, tuple[int, int]] = {}
    for key, one in sent:
        least, most = bounds.get(key, (0, 0))
        bounds[key] = least + one.least, most + one.times
    return bounds


def _rows_key(sent: Sent) -> str:
    return sent.topic if sent.kind == "data" else _letters_of(sent.topic)


def _letters_of(topic: str) -> str:
    return LETTERS + topic
