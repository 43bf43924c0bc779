"""Machines as they are, the whole way: counters, other words and units, states alone, pieces alone.

All of them tell of one hour that is over, with timestamps, every five or ten minutes of it: what the rows
hold can be worked out by hand.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.instant import HOUR, MINUTE, text_of
from tests.eventually import wait_until
from tests.publish import publish
from tests.services import Services
from tests.whole_plant import Plant

RULES = """
[line]
silence_s = 900

[lines.compteur]
count_mode = "counter"
counter_max = 999
defects_mode = "counter"
defects_max = 99
target_rate = 30                 # so 60 a minute are plausible, and 301 in five minutes
performance_from = "pieces"

[lines.traduite]
running_words = ["MARCHE"]
stopped_words = ["ARRET"]
fields.count = "data.cpt"
fields.defects = "data.rebuts"
fields.rate = "cadence"
fields.target_rate = "consigne"
fields.running = "etat"
fields.temperature = "temp"
fields.pressure = "pression"
fields.timestamp = "heure"
fields.reason = "motif"
units.rate = "per_hour"
units.temperature = "F"
units.pressure = "mbar"
scale.temperature = 0.1

[lines.comptes]
target_rate = 60
stopped_after_s = 600
"""

BEGIN = (int(time.time() * 1000) // HOUR - 2) * HOUR  # the hour before last
PRODUCED = 1530 + 1650 + 3000
HOUR_TOLD = """SELECT sum("runningSeconds" + "stoppedSeconds") = 4 * 3600 AND sum("pieces") = {} AS whole
    FROM "KPIHour" """

Message = tuple[str, bytes]


def message(kind: str, line: str, **fields: Any) -> Message:
    return f"production/{line}/{kind}", json.dumps(fields).encode()


def at(minute: int) -> int:
    """A minute of that hour: ms since 1970."""
    return BEGIN + minute * MINUTE


def counter() -> Iterator[Message]:
    """What its counters show, and that it runs."""
    #  minute     0    5   10   15   20   25   30   35   40   45   50   55   60
    #  reading  800  950  100  250  400   30  180  330  320  470  620  770  920
    #  pieces     0 +150 +150 +150 +150  +30 +150 +150    ✉ +150 +150 +150 +150    1530
    #                   over 999       set back     nobody knows
    #  defects   90   95    1                                                               5 + 6
    readings = (800, 950, 100, 250, 400, 30, 180, 330, 320, 470, 620, 770, 920)
    defects: dict[int, dict[str, int]] = {0: {"defects": 90}, 1: {"defects": 95}, 2: {"defects": 1}}
    for n, reading in enumerate(readings):
        told = {"count": reading, "running": True, **defects.get(n, {})}
        yield message("data", "compteur", **told, timestamp=at(5 * n))


def translated() -> Iterator[Message]:
    """150 pieces every five minutes, but for ten minutes of a jam."""
    #  minute  0 ───────────────── 41 ■■■■■ 51 ──── 60
    #  data    0 5 10 ... 40                 55 60          11 × 150 = 1650
    yield message("data", "traduite", data={"cpt": -1})
    for minute in (*range(0, 41, 5), 55, 60):
        if minute == 55:
            yield message("status", "traduite", etat="ARRET", motif="bourrage", heure=text_of(at(41)))
            yield message("status", "traduite", etat="MARCHE", heure=text_of(at(51)))
        yield message(
            "data", "traduite", data={"cpt": 150, "rebuts": 3}, cadence=1800, consigne=3600, etat="MARCHE",
            temp=770, pression=2100, heure=text_of(at(minute)),
        )  # fmt: skip


def states_alone() -> Iterator[Message]:
    """Every ten minutes, whether it runs."""
    #  minute  0 ──────── 30 ■■■ 40 ───── 60
    for minute in range(0, 61, 10):
        stopped = {"running": False, "reason": "casse"} if minute == 30 else {"running": True}
        yield message("status", "etats", **stopped, timestamp=at(minute))


def counts_alone() -> Iterator[Message]:
    """Pieces, and nothing else."""
    #  minute    0 ... 30  35  40  45  50  55  60
    #  pieces  7 × 300      0   0   0 300 300 300     3000
    #  it is    running ──────  ■■■■■  ─────────     stopped: nothing for ten minutes
    for minute in range(0, 61, 5):
        made = 0 if minute in (35, 40, 45) else 300
        yield message("data", "comptes", count=made, timestamp=at(minute))


@pytest.fixture(scope="module")
def plant(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """What the machines said has become rows."""
    plant = Plant(services, tmp_path_factory.mktemp("sources"), RULES)
    try:
        for role in ("streams", "sinks", "bridge"):
            plant.role(role)
        publish(plant.settings, [*counter(), *translated(), *states_alone(), *counts_alone()])
        produced = 'SELECT sum("produced") FROM "ProductionOrder"'
        wait_until(lambda: plant.number(produced) >= PRODUCED, "the orders", 40)
        wait_until(lambda: plant.rows(HOUR_TOLD.format(PRODUCED))[0]["whole"], "the hour")
        wait_until(lambda: plant.number('SELECT count(*) FROM "ProductionData"') >= 12 + 11 + 13, "the data")
        wait_until(lambda: plant.number('SELECT count(*) FROM "DeadLetter"') >= 2, "the dead letters")
        wait_until(lambda: plant.number('SELECT count("endTime") FROM "Downtime"') >= 3, "the stops")
        yield plant
    finally:
        plant.close()


def column(plant: Plant, line: str, name: str, table: str = "ProductionData") -> list[Any]:
    """What a line's rows hold, in the order of time."""
    when = {"ProductionData": "timestamp", "ProductionOrder": "startTime", "Downtime": "startTime"}[table]
    found = plant.rows(f'SELECT * FROM "{table}" WHERE "lineId" = \'{line}\' ORDER BY "{when}"')
    return [row[name] for row in found]


def hour(plant: Plant, line: str, *names: str) -> tuple[Any, ...]:
    """The line's only hour."""
    (row,) = plant.rows(f'SELECT * FROM "KPIHour" WHERE "lineId" = \'{line}\'')
    assert row["periodStart"] == datetime.fromtimestamp(BEGIN / 1000, UTC)
    return tuple(row[name] for name in names)


def letters(plant: Plant, line: str) -> list[tuple[str, str]]:
    found = plant.rows(f'SELECT reason, detail FROM "DeadLetter" WHERE "lineId" = \'{line}\'')
    return [(row["reason"], row["detail"]) for row in found]


def test_a_counter_is_counted_over_its_highest_value_and_when_it_was_set_back(plant: Plant):
    """Each piece once, in the data, the order and the hour; what nothing explains is a dead letter."""
    made = [0, 150, 150, 150, 150, 30, 150, 150, 150, 150, 150, 150]
    assert column(plant, "compteur", "bottlesProduced") == made
    assert column(plant, "compteur", "defectCount") == [0, 5, 6, *[0] * 9]
    assert column(plant, "compteur", "actualRate") == [None, *[30] * 4, 6, 30, 30, 15, 30, 30, 30]
    [(reason, detail)] = letters(plant, "compteur")
    assert (reason, "330" in detail, "320" in detail) == ("counter_reset", True, True)
    assert column(plant, "compteur", "produced", "ProductionOrder") == [1530]
    assert column(plant, "compteur", "defects", "ProductionOrder") == [11]
    sums = ("runningSeconds", "stoppedSeconds", "pieces", "timedPieces", "defects", "theoreticalOutput")
    assert hour(plant, "compteur", *sums) == (3600, 0, 1530, 1530, 11, 1800)
    assert hour(plant, "compteur", "performance", "quality", "reason") == (85, 99.281, None)


def test_a_machine_with_its_own_names_units_and_words(plant: Plant):
    """Rows are in ours; what is refused is named as the machine names it."""
    ours = {"bottlesProduced": 150, "defectCount": 3, "isRunning": True, "actualRate": 30, "targetRate": 60}
    for name, value in {**ours, "temperature": 25, "pressure": 2.1}.items():
        assert column(plant, "traduite", name) == [value] * 11, name
    [(reason, detail)] = letters(plant, "traduite")
    assert (reason, "data.cpt" in detail) == ("bad_field", True)
    assert column(plant, "traduite", "produced", "ProductionOrder") == [1650]
    assert column(plant, "traduite", "defects", "ProductionOrder") == [33]
    assert column(plant, "traduite", "reason", "Downtime") == ["bourrage"]
    assert column(plant, "traduite", "duration", "Downtime") == [600]
    sums = ("runningSeconds", "stoppedSeconds", "pieces", "defects", "theoreticalOutput", "reportedOutput")
    assert hour(plant, "traduite", *sums) == (3000, 600, 1650, 33, 3000, 1500)
    figures = ("availability", "performance", "quality", "trs")
    assert hour(plant, "traduite", *figures) == (83.3333, 50, 98, 40.8333)


def test_a_machine_that_sends_only_its_state_has_stops_and_availability(plant: Plant):
    """No data, no order; no performance for want of a target."""
    assert column(plant, "etats", "id") == column(plant, "etats", "id", "ProductionOrder") == []
    assert column(plant, "etats", "reason", "Downtime") == ["casse"]
    assert column(plant, "etats", "duration", "Downtime") == [600]
    assert hour(plant, "etats", "runningSeconds", "stoppedSeconds", "pieces") == (3000, 600, 0)
    assert hour(plant, "etats", "stops", "mtbf", "mttr") == (1, 3000, 600)
    figures = ("availability", "performance", "quality", "trs", "reason")
    assert hour(plant, "etats", *figures) == (83.3333, None, None, None, "no_target")


def test_a_machine_that_sends_only_pieces_runs_while_it_makes_some(plant: Plant):
    """Its rate follows from them; ten minutes without any are a stop, from then on."""
    assert column(plant, "comptes", "bottlesProduced") == [300] * 7 + [0] * 3 + [300] * 3
    assert column(plant, "comptes", "isRunning") == [True] * 8 + [False] * 2 + [True] * 3
    assert column(plant, "comptes", "actualRate") == [None, *[60] * 6, 0, 0, 0, 60, 60, 60]
    assert column(plant, "comptes", "produced", "ProductionOrder") == [3000]
    assert column(plant, "comptes", "duration", "Downtime") == [600]
    sums = ("runningSeconds", "slowSeconds", "stoppedSeconds", "pieces", "timedPieces")
    assert hour(plant, "comptes", *sums) == (3000, 300, 600, 3000, 2700)
    assert hour(plant, "comptes", "theoreticalOutput", "reportedOutput", "performance") == (3000, 2400, 80)
