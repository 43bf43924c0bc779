"""What crosses a topic, as JSON that others may rely on: a change here is a change of contract."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plant.rules import RulesRecord
from schemas import state as line_state
from schemas.events import (
    AlertEvent,
    DeadLetterEvent,
    DowntimeEvent,
    Event,
    KpiEvent,
    OpenOrders,
    OrderEvent,
    SampleEvent,
)
from schemas.kpi_state import Kpi, Window
from schemas.raw import Kind, RawHeaders
from schemas.state import (
    Alert,
    Alerts,
    Counters,
    DoneOrder,
    LineState,
    Mismatch,
    Order,
    Orders,
    PastStop,
    Plan,
    Reading,
    Stop,
    StopHistory,
)

GOLDEN = Path(__file__).parent / "golden"
STAMP: dict[str, Any] = {
    "generation": 1,
    "version": (1768467600250, 4211),
    "line_id": "ligne1",
    "line": "Ligne 1",
}
SEEN: dict[str, Any] = {"created_at": "2026-01-15T09:00:00.250Z", "updated_at": "2026-01-15T09:00:00.250Z"}

EVENTS: dict[str, Event] = {
    "sample": SampleEvent(
        **STAMP,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a01",
        timestamp="2026-01-15T09:00:00.000Z",
        bottles_produced=4,
        target_rate=120.0,
        actual_rate=115.5,
        defect_count=1,
        is_running=True,
        shift_id="MATIN",
        shift_date="2026-01-15",
        temperature=25.2,
        pressure=None,
        received_at="2026-01-15T09:00:00.250Z",
    ),
    "order": OrderEvent(
        **STAMP,
        **SEEN,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a02",
        order_number="ORD-1768467600-XY2Z4",
        product_type="Bouteille Standard 1L",
        quantity=10000,
        produced=4,
        defects=1,
        target_rate=120.0,
        actual_rate=115.5,
        start_time="2026-01-15T09:00:00.000Z",
        estimated_end_time="2026-01-15T10:23:18.000Z",
        end_time=None,
        status="running",
        priority="medium",
        shift="MATIN",
        operator="Auto MQTT",
    ),
    "downtime": DowntimeEvent(
        **STAMP,
        **SEEN,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a03",
        start_time="2026-01-15T08:58:30.000Z",
        end_time="2026-01-15T09:00:00.000Z",
        duration=90.0,
        required_seconds=60.0,
        category="unplanned",
        reason="bourrage",
        order_number="ORD-1768467600-XY2Z4",
        shift_id="MATIN",
    ),
    "alert": AlertEvent(
        **STAMP,
        **SEEN,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a04",
        type="HIGH_TEMPERATURE",
        severity="warning",
        message="température 31.2 °C (seuil 30.0)",
        value=31.2,
        threshold=30.0,
        status="open",
        started_at="2026-01-15T08:59:50.000Z",
        resolved_at=None,
    ),
    "kpi": KpiEvent(
        time_zone="Europe/Paris",
        **STAMP,
        **SEEN,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a05",
        window_start="2026-01-15T09:00:00.000Z",
        window_end="2026-01-15T09:01:00.000Z",
        day="2026-01-15",
        hour="2026-01-15T09:00:00.000Z",
        order_number="ORD-1768467600-XY2Z4",
        product_type="Bouteille Standard 1L",
        shift_id="MATIN",
        shift_date="2026-01-15",
        trs=56.25,
        availability=75.0,
        performance=83.3333,
        quality=90.0,
        oee=56.25,
        do=75.0,
        tp=83.3333,
        tq=90.0,
        reason=None,
        performance_from="rate",
        running_seconds=45.0,
        slow_seconds=5.0,
        stopped_seconds=15.0,
        micro_seconds=0.0,
        planned_seconds=0.0,
        no_signal_seconds=0.0,
        closed_seconds=0.0,
        unknown_seconds=0.0,
        pieces=90,
        timed_pieces=90,
        defects=9,
        theoretical_output=90.0,
        reported_output=75.0,
        stops=1,
        micro_stops=0,
    ),
    "dead_letter": DeadLetterEvent(
        **STAMP,
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a06",
        topic="production.raw",
        partition=3,
        offset=4211,
        mqtt_topic="production/ligne1/data",
        payload=b'{"count":-1}',
        reason="bad_field",
        detail="champ count refusé: -1 (attendu: un nombre entier de 0 à 1 000 000)",
        received_at="2026-01-15T09:00:00.250Z",
    ),
    "order_census": OpenOrders(
        **STAMP | {"line_id": "", "line": ""},
        id="0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a07",
        partition=3,
        open=("0b0f8d8e-6f0a-5a53-8d3d-1f9f4f5b8a02",),
        at="2026-01-15T09:00:00.250Z",
    ),
}

STATE = LineState(
    line_id="ligne1",
    partition=3,
    offset=4211,
    run=2,
    received_at=1768467600250,
    heard_at=1768467600250,
    ticked_at=1768467598000,
    ticking_since=1768460000000,
    clock=1768467600000,
    mode="stopped",
    target_rate=120.0,
    positive_target=120.0,
    rate=0.0,
    orders=Orders(
        running=Order(
            id="o1",
            number="ORD-1768467600-XY2Z4",
            product="Eau",
            quantity=100,
            priority="high",
            operator="Ana",
            target_rate=None,
            created_at=1768467000000,
            produced=4,
            started_at=1768467600000,
            shift="MATIN",
        ),
        done=("a1b2c3d4e5f60718",),
        latest=(
            DoneOrder(
                order=Order(
                    id="o0",
                    number="ORD-1768460000-AB1C2",
                    product="Eau",
                    quantity=50,
                    priority="medium",
                    operator=None,
                    target_rate=None,
                    created_at=1768460000000,
                    produced=52,
                    defects=1,
                    started_at=1768460000000,
                ),
                status="completed",
                ended_at=1768467000000,
            ),
        ),
    ),
    stop=Stop(
        id="s1", category="unplanned", start=1768467600000, created_at=1768467600250, reason="bourrage"
    ),
    alerts=Alerts(
        held={"MACHINE_STOP": Alert(since=1768467600000, id="a1", message="arrêt machine")},
        recent=((4, 1),),
        recent_pieces=4,
        recent_defects=1,
        mismatch=Mismatch(start=1768467600000, pieces=4),
    ),
    kpi=Kpi(
        charged=1768467600000, open=Window(id="w1", start=1768467600000, end=1768467660000, created_at=1)
    ),
    stop_history=StopHistory(
        stops=(
            PastStop(
                stop=Stop(
                    id="s0", category="unplanned", start=1768467000000, created_at=1768467000250, planned=True
                ),
                end=1768467300000,
                required=0,
            ),
        ),
        plans=(Plan("a1b2c3d4e5f60719", 1768478400000, 1768480200000, "nettoyage"),),
        requests=("a1b2c3d4e5f60719",),
        planned=((1768467000000, 1768467300000), (1768478400000, 1768480200000)),
    ),
    counters=Counters(count=Reading(65530, 1768467600000), made_at=1768467600000),
)


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", EVENTS)
def test_derived_events(name: str):
    """Written and read back."""
    event = EVENTS[name]
    assert json.loads(msgspec.json.encode(event)) == golden(name)
    assert msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=type(event)) == event


def test_line_state():
    """The changelog of an earlier version must stay readable."""
    assert json.loads(line_state.encode(STATE)) == golden("line_state")
    assert line_state.decode((GOLDEN / "line_state.json").read_bytes()) == STATE


def test_rules():
    """A record of `production.rules`."""
    rules = RulesRecord(1, "[line]\nsilence_s = 45\n", "2026-01-15T09:00:00.000Z")
    assert json.loads(msgspec.json.encode(rules)) == golden("rules")


RAW = {
    "raw_data": RawHeaders(
        Kind.DATA, "production/ligne1/data", 1, False, True, 17, "linepulse-bridge", 2, 4211, True
    ),
    "raw_oversize": RawHeaders(
        Kind.OVERSIZE,
        "production/ligne1/data",
        1,
        length=2_000_000,
        digest="00112233445566778899aabbccddeeff",
    ),
    "raw_tick": RawHeaders(Kind.TICK, run=2),
}


@pytest.mark.parametrize("name", RAW)
def test_headers_of_raw_records(name: str):
    """Text, in this order."""
    encoded = RAW[name].encode()
    assert [[key, value.decode()] for key, value in encoded] == golden(name)
    assert RawHeaders.decode(encoded) == RAW[name]
