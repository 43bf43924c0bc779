"""A log whose time was wrong for a while, corrected by `[[log_clock]]`."""

from msgspec.structs import replace

from plant.rules import Rules, read_plant
from rules.partition import PARTITION, Lines
from schemas.events import DeadLetterEvent, Event
from schemas.instant import DAY, MINUTE, SECOND, text_of
from schemas.raw import RawRecord
from tests.rules.line import Line, at, rows_of

YEAR = 365 * DAY
LEAP = at("10:05")
MENDED = at("10:15")


def story() -> list[RawRecord]:
    """Twenty minutes of a line, with a stop, and the true time of every record.

    10:00   10:05        10:15   10:20
      ────────|────■■■■────|───────
       run 41 | wrong      | run 42, right again
    """
    line = Line.at("10:00").runs(minutes=7).stops(minutes=3).runs(minutes=10)
    return [_of_run(record, 41 if record.received_at < MENDED else 42) for record in line.records]


def wrong(record: RawRecord) -> RawRecord:
    """The record as a bridge wrote it that followed a leap of a year."""
    if not LEAP <= record.received_at < MENDED:
        return record
    return replace(record, received_at=log_time(record.received_at))


def log_time(true: int) -> int:
    """The log time at a true time: a year ahead, and nine tenths as fast."""
    return LEAP + YEAR + (true - LEAP) * 9 // 10


RULE = f"""[[log_clock]]
first_run = 41
last_run = 41
from = {text_of(log_time(LEAP))}
true = {text_of(LEAP)}
"""


def test_a_mended_log_has_the_rows_of_a_log_that_was_never_wrong() -> None:
    """Every row, to the millisecond: also what comes after the leap, with true times again."""
    true = story()
    assert folded(map(wrong, true)) != folded(true)
    assert folded(map(wrong, true), RULE) == folded(true)


def test_only_the_runs_that_are_named_are_corrected() -> None:
    """Another run is not corrected, even at a time that lies ahead."""
    log = [_of_run(record, 40) for record in map(wrong, story())]
    assert folded(log, RULE) == folded(log)


def test_a_line_s_place_in_the_log_keeps_the_log_s_time() -> None:
    """It must equal the record's time in Kafka, by which a log made anew is noticed."""
    record = next(r for r in map(wrong, story()) if r.received_at > LEAP + DAY)
    lines = Lines(Rules(1, read_plant(RULE)), "production.raw", 0)
    lines.apply(record)
    own = lines.states[PARTITION]
    assert (own.time, own.log) == (record.received_at, record.received_at)
    assert own.received_at < LEAP + MINUTE


def test_a_dead_letter_keeps_its_id() -> None:
    """One that was replayed is known as such after the mend."""
    record = next(r for r in map(wrong, story()) if r.line_id and r.received_at > LEAP + DAY)
    poison = replace(record, payload=b"{")
    assert folded([poison]).keys() == folded([poison], RULE).keys()
    assert len(folded([poison])) == 1


def test_a_row_that_cannot_be_formed_is_a_dead_letter_of_the_true_time() -> None:
    """The record has the log's wrong time; its letter has the true one."""
    true = next(r for r in story() if r.line_id and r.received_at > LEAP)
    letter = Lines(Rules(1, read_plant(RULE)), "production.raw", 0, failed=lambda _: None).unformed(
        wrong(true), ValueError()
    )
    assert isinstance(letter, DeadLetterEvent)
    assert letter.received_at == text_of(true.received_at)


def test_the_latest_entry_before_a_record_counts() -> None:
    """The bridge was down for an hour while ahead, so the log is an hour less ahead after it."""
    again = log_time(LEAP) + MINUTE
    second = RULE.replace(text_of(log_time(LEAP)), text_of(again)).replace(
        text_of(LEAP), text_of(LEAP + 60 * MINUTE)
    )
    true_time = Rules(1, read_plant(RULE + second)).true_time
    assert true_time.of(log_time(LEAP) - 1, 41) == log_time(LEAP) - 1
    assert true_time.of(log_time(LEAP) + 9 * SECOND, 41) == LEAP + 10 * SECOND
    assert true_time.of(again, 41) == LEAP + 60 * MINUTE
    assert true_time.of(again + 9 * SECOND, 41) == LEAP + 60 * MINUTE + 10 * SECOND


def test_no_time_is_put_off() -> None:
    """Once the log and the clock agree again, a record's time is not changed."""
    late = log_time(LEAP) + 20 * YEAR
    assert Rules(1, read_plant(RULE)).true_time.of(late, 41) == late


def _of_run(record: RawRecord, run: int) -> RawRecord:
    return replace(record, headers=replace(record.headers, run=run))


def folded(records: "map[RawRecord] | list[RawRecord]", plant: str = "") -> dict[tuple[type, str], Event]:
    """The rows of a log."""
    lines = Lines(Rules(1, read_plant(plant)), "production.raw", 0)
    return rows_of(change.form() for record in records for change in lines.apply(record))
