"""How a reading looks at a moment. Each drawing is a line's time: ─ heard, · nothing, ^ the moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboard.models import Overview, PageRules, Sample, Shift, StageRow, State, StopRow, Sums, Tile
from dashboard.moment import Halt, Moment, Pipeline, pipeline
from plant.rules import Rules, read_plant

NOON = datetime(2025, 1, 17, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOW = PageRules("Usine", "UTC", Rules(1, read_plant("[lines.ligne2]\nsilence_s = 600\n")))


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def tile(
    heard: datetime | None = NOON,
    category: str | None = None,
    *,
    line_id: str = "ligne1",
    updated_at: datetime | None = None,
) -> Tile:
    sample = None if heard is None else Sample(heard, 115, 120, True, 20.0, None, heard)
    stop = None if category is None else StopRow(NOON, None, None, category, None)
    return Tile(line_id, line_id, sample, stop, None, None, 0, None, heard, updated_at)


def moment(after: float, pipeline: Pipeline | None = None) -> Moment:
    return Moment(NOON + s(after), PageRules(), pipeline or Pipeline())


def test_a_line_runs_only_as_long_as_its_silence_allows():
    """Thirty seconds by default; then its state is unknown, although no row has changed."""
    #  12:00:00      :30
    #  ─              ^running ^no data
    assert moment(30).state(tile()) is State.RUNNING
    assert moment(30).is_live(tile())
    assert moment(31).state(tile()) is State.NO_DATA
    assert not moment(31).is_live(tile())
    assert moment(31).without_news_since(tile()) == NOON


def test_the_silence_is_the_lines_own():
    """A machine that may be silent for ten minutes is shown as running for ten minutes."""
    at = Moment(NOON + s(599), SLOW)
    assert at.state(tile(line_id="ligne2")) is State.RUNNING
    assert at.state(tile(line_id="ligne1")) is State.NO_DATA
    assert Moment(NOON + s(601), SLOW).state(tile(line_id="ligne2")) is State.NO_DATA


def test_a_line_that_only_tells_its_status_runs_without_figures():
    """Its windows are updated, so it runs. The rate of its last data message is out of date."""
    at = moment(300)
    heard = tile(updated_at=NOON + s(295))
    assert at.state(heard) is State.RUNNING
    assert not at.is_live(heard)


def test_a_line_without_any_sample_runs_by_its_status():
    """It runs if it has running time; one that only sent `offline` is shown as waiting."""
    #  12:00 ──── 12:04:55 ·  ^12:05        ^12:06
    ran, unknown = (
        replace(tile(None, updated_at=NOON + s(295)), shift=Shift(None, None, Sums(running_s=running_s)))
        for running_s in (290, 0)
    )
    assert moment(300).state(ran) is State.RUNNING
    assert not moment(300).is_live(ran)
    assert moment(360).state(ran) is State.NO_DATA
    assert moment(300).state(unknown) is State.WAITING
    assert moment(300).state(tile(None)) is State.WAITING
    assert moment(300).state(replace(ran, stop=StopRow(NOON, None, None, "unplanned", None))) is State.STOPPED


def test_an_open_stop_stays_what_it_is_however_old():
    """A stopped machine need not send anything."""
    for category, state in (
        ("unplanned", State.STOPPED),
        ("planned", State.PLANNED),
        ("no_signal", State.NO_SIGNAL),
    ):
        assert moment(3600).state(tile(category=category)) is state
        assert moment(3600).without_news_since(tile(category=category)) is None


def test_while_the_pipeline_stands_nobody_runs():
    """Not even a line that may be silent for long; stops remain, with the time of their last news."""
    halt = Pipeline(Halt("streams", NOON))
    at = Moment(NOON + s(25), SLOW, halt)
    assert at.state(tile(line_id="ligne2")) is State.NO_DATA
    stopped = tile(NOON - s(90), "unplanned")
    assert at.state(stopped) is State.STOPPED
    assert at.without_news_since(stopped) == NOON - s(90)


def test_a_sample_from_the_future_is_not_of_now():
    """A clock that is far ahead does not keep a line green for a year."""
    assert moment(0).state(tile(NOON + HOUR)) is State.NO_DATA
    assert not moment(0).is_live(tile(NOON + HOUR))


def test_a_bridge_whose_clock_is_off_is_read_by_its_own_clock():
    """Ages are counted between two times of one clock, forwards and backwards."""
    for off in (HOUR, -HOUR, s(40)):
        at = moment(30, Pipeline(None, off))
        assert at.state(tile(NOON + off)) is State.RUNNING
        assert at.is_live(tile(NOON + off))
        assert moment(31, Pipeline(None, off)).state(tile(NOON + off)) is State.NO_DATA
        assert moment(31, Pipeline(None, off)).without_news_since(tile(NOON + off)) == NOON


def test_who_was_retired_comes_last_and_leaves():
    """The rules open a stop for a line that falls silent: a silent line without one was retired."""
    old, new = tile(NOON - 2 * HOUR), tile(line_id="ligne2")
    silent = tile(NOON - 2 * HOUR, "no_signal", line_id="ligne3")
    shown = moment(1).arranged(Overview((old, new, silent)))
    assert [each.line_id for each in shown] == ["ligne2", "ligne3", "ligne1"]
    assert moment(0).gone() == NOON - timedelta(days=2)


def test_while_the_pipeline_stands_nobody_moves_or_leaves():
    """After a plant was switched off over the holidays, its page is as it was."""
    at = moment(30 * 86_400, Pipeline(Halt("bridge", NOON)))
    old, new = tile(NOON - 2 * HOUR), tile(line_id="ligne2")
    assert at.arranged(Overview((old, new))) == [old, new]
    assert at.gone() == NOON - timedelta(days=2)


def test_gone_is_by_the_logs_clock():
    """Rows carry log time, so it is compared with log time."""
    assert moment(0, Pipeline(None, HOUR)).gone() == NOON - timedelta(days=2) + HOUR


def rows(**moved: datetime) -> list[StageRow]:
    """All stages in two partitions, just seen; `moved`: when the named ones last moved in the second."""
    found = [StageRow("sinks", moved.get("sinks", NOON), moved.get("sinks", NOON))]
    looked = min(moved.get("sinks", NOON), moved.get("kafka", NOON))
    found.append(StageRow("kafka", looked, looked))
    for stage in ("bridge", "streams"):
        log_time = NOON if stage == "bridge" else None
        found.append(StageRow(stage, NOON, looked, log_time))
        found.append(StageRow(stage, moved.get(stage, NOON), looked))
    return found


def test_a_pipeline_that_moves():
    """Stages that moved within twenty seconds are well; silent machines do not matter."""
    assert pipeline(rows(), NOON) == Pipeline()
    for stage in ("sinks", "kafka", "bridge", "streams"):
        assert pipeline(rows(**{stage: NOON - s(20)}), NOON) == Pipeline()


def test_the_stage_that_stands_is_named():
    """With the time since when; standing still in one partition is enough."""
    for stage in ("sinks", "kafka", "bridge", "streams"):
        since = NOON - s(21)
        assert pipeline(rows(**{stage: since}), NOON).halt == Halt(stage, since)


def test_of_several_the_one_that_the_others_wait_for_is_named():
    """Without a bridge the stream stage has nothing to do; without sinks neither is observed."""
    old = NOON - s(60)
    assert pipeline(rows(bridge=old, streams=old), NOON).halt == Halt("bridge", old)
    assert pipeline(rows(sinks=old, kafka=old, bridge=old), NOON).halt == Halt("sinks", old)


def test_a_partition_that_is_not_there_any_more_stands_for_nothing():
    """Topics made anew with fewer partitions leave rows behind."""
    stray = StageRow("bridge", NOON - HOUR, NOON - HOUR)
    assert pipeline([*rows(), stray], NOON) == Pipeline()


def test_kafka_away_for_long_stays_a_halt():
    """However long the log could not be observed."""
    since = NOON - HOUR
    assert pipeline(rows(kafka=since), NOON).halt == Halt("kafka", since)


def test_without_rows_nothing_is_known():
    """Right after `setup`, no progress is recorded yet."""
    assert pipeline([], NOON) == Pipeline()


def test_how_far_the_logs_clock_is_off():
    """By the newest record whose arrival was seen; a few seconds may be the delay of seeing it."""

    def seen(log_time: datetime) -> list[StageRow]:
        return [
            StageRow("bridge", NOON - s(4), NOON, log_time),
            StageRow("bridge", NOON - s(9), NOON, NOON - 3 * HOUR),
        ]

    assert pipeline(seen(NOON - s(12)), NOON).ahead == timedelta()
    assert pipeline(seen(NOON - s(4) + HOUR), NOON).ahead == HOUR
    assert pipeline(seen(NOON - s(4) - HOUR), NOON).ahead == -HOUR
