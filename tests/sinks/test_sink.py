"""Batches become rows, each once, whatever happens in between."""

import asyncio
from dataclasses import replace

import psycopg
import pytest
from faust.types import TP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import Unavailable
from schemas.events import AlertEvent, DeadLetterEvent, DowntimeEvent, KpiEvent, OrderEvent, SampleEvent
from tests.eventually import eventually
from tests.sinks.conftest import Plant
from tests.sinks.records import TOPICS, alert, dead_letter, kpi, log, order, sample, stop

pytestmark = [pytest.mark.quick, pytest.mark.both]

PRODUCED = 'SELECT "orderNumber", produced FROM "ProductionOrder" ORDER BY 1'
COUNT = 'SELECT count(*) AS n FROM "ProductionData"'
LETTERS = 'SELECT * FROM "DeadLetter" ORDER BY "offset"'


async def test_samples_become_rows_and_the_cursor_moves_with_them(plant: Plant):
    """Every attribute arrives as it was, null included."""
    sink = await plant.sink(SampleEvent)
    written = await sink.write(log(sample(0), sample(1, temperature=None, shift_id=None, is_running=False)))
    assert (written.cursor, written.rows) == (2, 2)
    assert plant.cursor(TOPICS.samples) == 2
    first, second = plant.rows('SELECT * FROM "ProductionData" ORDER BY timestamp')
    assert (first["bottlesProduced"], first["actualRate"], first["line"]) == (2, 115.0, "Ligne 1")
    assert first["timestamp"].isoformat() == "2025-01-17T14:17:36+00:00"
    assert first["shiftDate"].isoformat() == "2025-01-17"
    assert (second["temperature"], second["shiftId"], second["isRunning"]) == (None, None, False)


async def test_a_batch_that_was_applied_is_not_applied_again(plant: Plant):
    """A batch that does not begin at the cursor writes nothing, and the result has the cursor."""
    sink = await plant.sink(SampleEvent)
    await sink.write(log(sample(0), sample(1)))
    again = await sink.write(log(sample(0), sample(1), sample(2)))
    assert (again.cursor, again.rows) == (2, 0)
    beyond = await sink.write(log(sample(7), at=7))
    assert (beyond.cursor, beyond.rows) == (2, 0)
    assert plant.rows(COUNT) == [{"n": 2}]


async def test_two_workers_that_race_write_a_batch_once(plant: Plant):
    """The cursor is checked and set under its lock."""
    workers = [await plant.sink(OrderEvent, plant.another_connection()) for _ in range(4)]
    outcomes = await asyncio.gather(*(worker.write(log(order(1, 1), order(2, 1))) for worker in workers))
    assert sorted(outcome.rows for outcome in outcomes) == [0, 0, 0, 2]
    assert {outcome.cursor for outcome in outcomes} == {2}


async def test_a_lost_cursor_row_is_made_again_at_the_start(plant: Plant):
    """The rows that are there already stay as they are."""
    sink = await plant.sink(SampleEvent)
    await sink.write(log(sample(0), sample(1)))
    plant.run('DELETE FROM "SinkCursor"')
    assert (await sink.write(log(sample(2), at=2))).cursor == 0
    assert (await sink.write(log(sample(0), sample(1), sample(2)))).rows == 1
    assert plant.rows(COUNT) == [{"n": 3}]


async def test_samples_that_were_sent_twice_are_rows_once(plant: Plant):
    """The stream stage may send an event again after a crash; its id is the same."""
    sink = await plant.sink(SampleEvent)
    await sink.write(log(*(sample(n) for n in range(10))))
    written = await sink.write(log(*(sample(n) for n in range(5, 15)), sample(14), at=10))
    assert (written.cursor, written.rows) == (21, 5)
    assert plant.rows(COUNT) == [{"n": 15}]


async def test_an_older_version_never_takes_the_place_of_a_newer(plant: Plant):
    """Whatever the order of arrival, within a batch and across batches."""
    sink = await plant.sink(OrderEvent)
    await sink.write(log(order(1, 3), order(2, 5), order(1, 9), order(1, 7)))
    assert plant.rows(PRODUCED) == [
        {"orderNumber": "ORD-1", "produced": 9},
        {"orderNumber": "ORD-2", "produced": 5},
    ]
    written = await sink.write(log(order(1, 8), order(2, 6), at=4))
    assert written.rows == 1
    assert [row["produced"] for row in plant.rows(PRODUCED)] == [9, 6]
    columns = plant.rows("""SELECT * FROM "ProductionOrder" WHERE "orderNumber" = 'ORD-2'""")[0]
    assert (columns["generation"], columns["versionOffset"], columns["status"]) == (1, 6, "running")


async def test_every_kind_of_event_has_its_row(plant: Plant):
    """Stops, windows and dead letters arrive with all they say; a stop's end replaces its open row."""
    stops, windows = await plant.sink(DowntimeEvent), await plant.sink(KpiEvent)
    await stops.write(log(stop(1, 1), stop(1, 2, end_time="2025-01-17T14:20:00.000Z", duration=143.25)))
    assert [row["duration"] for row in plant.rows('SELECT * FROM "Downtime"')] == [143.25]
    await windows.write(log(kpi(1, 1), kpi(2, 1, trs=None, oee=None, reason="no_target")))
    rows = plant.rows('SELECT * FROM "KPISnapshot" ORDER BY "windowStart"')
    assert [(row["trs"], row["reason"], row["reportedOutput"]) for row in rows] == [
        (82.3, None, 98.76),
        (None, "no_target", 98.76),
    ]
    letters = await plant.sink(DeadLetterEvent)
    assert (await letters.write(log(dead_letter(4), dead_letter(4)))).rows == 1
    letter = plant.rows(LETTERS)[0]
    assert (letter["payload"], letter["reason"], letter["offset"]) == (b"\x00\xff\\not json", "not_json", 4)


async def test_an_acknowledged_alert_stays_acknowledged(plant: Plant):
    """An acknowledgement is in no event, and the next event keeps it."""
    sink = await plant.sink(AlertEvent)
    await sink.write(log(alert(1, 1)))
    plant.run('UPDATE "Alert" SET "acknowledgedAt" = now(), "acknowledgedBy" = %s', ["Anne"])
    await sink.write(log(alert(1, 2, status="resolved", resolved_at="2025-01-17T14:20:00.000Z"), at=1))
    row = plant.rows('SELECT * FROM "Alert"')[0]
    assert (row["status"], row["acknowledgedBy"]) == ("resolved", "Anne")
    assert row["acknowledgedAt"] is not None


@pytest.mark.parametrize(
    "bad",
    [
        sample(250, line="Ligne\0 1"),
        sample(250, bottles_produced=2**40),
        sample(250, timestamp="the day before yesterday"),
        sample(250, id="not-a-uuid"),
        sample(250, line_id="".join(chr(0x4E00 + n * 7919 % 20000) for n in range(9000))),
    ],
    ids=["NUL", "out of range", "no time", "no id", "too long for an index"],
)
async def test_one_refused_row_among_500_is_one_dead_letter(plant: Plant, bad: SampleEvent):
    """Its 499 neighbours are rows, and the cursor goes on."""
    sink = await plant.sink(SampleEvent)
    written = await sink.write(log(*(bad if n == 250 else sample(n) for n in range(500))))
    assert (written.cursor, written.rows, len(written.events)) == (500, 499, 499)
    assert plant.rows(COUNT) == [{"n": 499}]
    (letter,) = plant.rows(LETTERS)
    assert (letter["topic"], letter["partition"], letter["offset"]) == (TOPICS.samples, 0, 250)
    assert (letter["reason"], letter["lineId"]) == ("refused", "ligne1")
    assert letter["payload"] == log(bad, at=250)[0].value
    assert letter["detail"].startswith("refused by PostgreSQL: ")


async def test_a_refused_version_leaves_the_one_before_it(plant: Plant):
    """As if each had come alone."""
    sink = await plant.sink(OrderEvent)
    written = await sink.write(log(order(1, 1), order(1, 2), order(1, 3, operator="\0"), order(2, 4)))
    assert [row["produced"] for row in plant.rows(PRODUCED)] == [2, 4]
    assert [letter.offset for letter in written.letters] == [2]


async def test_two_spellings_of_an_id_are_one_row(plant: Plant):
    """PostgreSQL sees one row twice in a statement; in halves it takes both."""
    sink = await plant.sink(OrderEvent)
    shouted = order(1, 2, id=order(1, 2).id.upper())
    written = await sink.write(log(order(1, 1), shouted))
    assert (written.cursor, list(written.letters)) == (2, [])
    assert [row["produced"] for row in plant.rows(PRODUCED)] == [2]


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xfe", b"[1]", b'{"generation":1}', b"[" * 5000, None])
async def test_a_record_that_is_no_event_is_a_dead_letter(plant: Plant, value: bytes | None):
    """Another program wrote to the topic: neighbouring records become rows."""
    sink = await plant.sink(SampleEvent)
    records = [*log(sample(0), b"?", sample(2))]
    records[1] = log(value or b"", at=1, topic=TOPICS.samples)[0]
    if value is None:
        records[1] = type(records[1])(**{**vars(records[1]), "value": None})
    assert (await sink.write(records)).rows == 2
    (letter,) = plant.rows(LETTERS)
    assert (letter["reason"], letter["offset"], letter["payload"]) == ("not_event", 1, value or b"")


async def test_a_record_whose_bytes_are_no_text_is_a_dead_letter(plant: Plant):
    """The bytes are in an unknown field: the decoder skips it, but the text can't be sent to PostgreSQL."""
    sink = await plant.sink(OrderEvent)
    first, second, third = log(order(1, 1), order(2, 1), order(3, 1))
    strange = replace(second, value=second.value[:-1] + b',"x":"\xff"}')
    assert (await sink.write([first, strange, third])).cursor == 3
    assert [row["orderNumber"] for row in plant.rows(PRODUCED)] == ["ORD-1", "ORD-3"]
    [letter] = plant.rows(LETTERS)
    assert (letter["reason"], letter["offset"], letter["payload"]) == ("not_event", 1, strange.value)


async def test_an_older_generation_is_ignored(plant: Plant):
    """Events that a worker under the old rules still sends are ignored."""
    plant.run('UPDATE "Generation" SET generation = 2')
    sink = await plant.sink(OrderEvent)
    written = await sink.write(log(order(1, 1), order(2, 1, generation=2), order(3, 1)))
    assert (written.cursor, written.rows) == (3, 1)
    assert [row["orderNumber"] for row in plant.rows(PRODUCED)] == ["ORD-2"]


async def test_a_newer_generation_waits_until_it_is_live(plant: Plant):
    """The cursor stops before its first event, and goes on after the swap."""
    sink = await plant.sink(OrderEvent)
    records = log(order(1, 1), order(2, 1), order(1, 2, generation=2), order(3, 1))
    assert (await sink.write(records)).cursor == 2
    assert plant.cursor(TOPICS.orders) == 2
    assert (await sink.write(records[2:])).cursor == 2
    plant.run('UPDATE "Generation" SET generation = 2')
    assert (await sink.write(records[2:])).cursor == 4
    assert [row["produced"] for row in plant.rows(PRODUCED)] == [2, 1]


async def test_without_rules_everything_waits(plant: Plant):
    """A database that `setup` has not finished takes nothing."""
    plant.run('UPDATE "Generation" SET live = false')
    sink = await plant.sink(SampleEvent)
    assert (await sink.write(log(sample(0)))).cursor == 0
    assert plant.rows(COUNT) == [{"n": 0}]


async def test_retention_moves_the_cursor_on(plant: Plant):
    """Only from where it was expected; a dead letter reports it."""
    await plant.sink(SampleEvent)
    tp = TP(TOPICS.samples, 0)
    assert not await plant.cursors.jump(tp, 5, 100, dead_letter(5))
    assert await plant.cursors.jump(tp, 0, 100, dead_letter(0))
    assert await plant.cursors.positions([tp, TP(TOPICS.samples, 1)]) == {tp: 100, TP(TOPICS.samples, 1): 0}
    assert [row["offset"] for row in plant.rows(LETTERS)] == [0]


async def test_a_transaction_that_is_cut_leaves_nothing(plant: Plant):
    """A worker that dies before the commit has moved neither rows nor cursor."""
    sink = await plant.sink(SampleEvent)
    with psycopg.connect(plant.url) as blocker:
        blocker.execute('LOCK TABLE "ProductionData" IN EXCLUSIVE MODE')
        writing = asyncio.create_task(sink.write(log(sample(0))))
        await eventually(plant.somebody_waits, "the sink to meet the lock")
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert plant.rows(COUNT) == [{"n": 0}]
    assert plant.cursor(TOPICS.samples) == 0
    assert (await sink.write(log(sample(0)))).rows == 1


async def test_a_lock_that_is_held_long_is_waited_for(plant: Plant):
    """Unavailable, not refused; the same batch goes in once the lock is free."""
    sink = await plant.sink(SampleEvent)
    with psycopg.connect(plant.url) as blocker:
        blocker.execute('LOCK TABLE "SinkCursor" IN EXCLUSIVE MODE')
        with pytest.raises(Unavailable, match="lock"):
            await sink.write(log(sample(0)))
    assert (await sink.write(log(sample(0)))).rows == 1


async def test_a_missing_privilege_is_waited_for(plant: Plant):
    """A person can grant it: the row must not become a dead letter."""
    sink = await plant.sink(SampleEvent)
    plant.run('ALTER TABLE "ProductionData" RENAME TO "Elsewhere"')
    with pytest.raises(Unavailable):
        await sink.write(log(sample(0)))
    plant.run('ALTER TABLE "Elsewhere" RENAME TO "ProductionData"')
    assert (await sink.write(log(sample(0)))).rows == 1


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)
numbers = st.none() | st.floats(-1e9, 1e9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=texts, shift=st.none() | texts, rate=numbers, warm=numbers, count=st.integers(0, 1_000_000))
async def test_any_text_and_number_within_bounds_comes_back(plant, line, shift, rate, warm, count):
    """Through COPY and through JSON alike."""
    sink = await plant.sink(SampleEvent)
    plant.run('TRUNCATE "ProductionData"')
    values = {"line": line, "shift_id": shift, "actual_rate": rate, "temperature": warm}
    here = plant.cursor(TOPICS.samples)
    await sink.write(log(sample(0, bottles_produced=count, **values), at=here))  # COPY
    await sink.write(log(sample(0), sample(1, bottles_produced=count, **values), at=here + 1))  # JSON
    rows = plant.rows(
        """SELECT line, "shiftId" AS shift_id, "actualRate" AS actual_rate, temperature, "bottlesProduced"
        FROM "ProductionData" """
    )
    assert rows == [{**values, "bottlesProduced": count}] * 2


async def test_a_worker_that_froze_within_a_copy_is_ended(plant: Plant, monkeypatch: pytest.MonkeyPatch):
    """No timeout of PostgreSQL ends a COPY whose client sends nothing more; we do."""
    monkeypatch.setattr("sinks.database.FROZEN_S", 0.5)
    sink = await plant.sink(SampleEvent)
    frozen = psycopg.connect(plant.url, application_name="linepulse-sinks")
    frozen.execute('UPDATE "SinkCursor" SET "nextOffset" = 1')
    frozen.pgconn.exec_(b'COPY "ProductionData" FROM STDIN')  # and sends nothing
    with pytest.raises(Unavailable, match="lock"):
        await sink.write(log(sample(0)))
    assert (await sink.write(log(sample(0)))).rows == 1
    frozen.close()
