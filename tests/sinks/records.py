"""Events and the records that they come in, as the stream stage writes them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from schemas.events import (
    AlertEvent,
    DeadLetterEvent,
    DowntimeEvent,
    Event,
    KpiEvent,
    OrderEvent,
    SampleEvent,
)
from schemas.ids import uuid_of
from schemas.instant import MINUTE, SECOND, text_of
from schemas.topics import Topics

BEGIN = 1_737_123_456_000  # 2025-01-17T14:17:36Z
TOPICS = Topics("plant")
TOPIC_OF = {
    SampleEvent: TOPICS.samples,
    OrderEvent: TOPICS.orders,
    DowntimeEvent: TOPICS.downtimes,
    AlertEvent: TOPICS.alerts,
    KpiEvent: TOPICS.kpis,
    DeadLetterEvent: TOPICS.dead_letters,
}


def _common(kind: str, number: int, version: int, generation: int, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "generation": generation,
        "version": (BEGIN + version * SECOND, version),
        "id": uuid_of(kind, number),
        "line_id": "ligne1",
        "line": "Ligne 1",
        **facts,
    }


def sample(number: int, *, generation: int = 1, **facts: Any) -> SampleEvent:
    """The line's sample `number`, one a second."""
    at = text_of(BEGIN + number * SECOND)
    plain: dict[str, Any] = {
        "timestamp": at,
        "bottles_produced": 2,
        "target_rate": 120.0,
        "actual_rate": 115.0,
        "defect_count": 0,
        "is_running": True,
        "shift_id": "APRES_MIDI",
        "shift_date": "2025-01-17",
        "temperature": 25.3,
        "pressure": 2.5,
        "received_at": at,
    }
    return SampleEvent(**_common("sample", number, number, generation, {**plain, **facts}))


def order(number: int, version: int, *, generation: int = 1, **facts: Any) -> OrderEvent:
    """Order `number` as it is at its line's version: as many pieces produced."""
    plain: dict[str, Any] = {
        "order_number": f"ORD-{number}",
        "product_type": "Bouteille Standard 1L",
        "quantity": 10_000,
        "produced": version,
        "defects": 0,
        "target_rate": 120.0,
        "actual_rate": 115.0,
        "start_time": text_of(BEGIN),
        "estimated_end_time": text_of(BEGIN + 80 * MINUTE),
        "end_time": None,
        "status": "running",
        "priority": "medium",
        "shift": "APRES_MIDI",
        "operator": "Auto MQTT",
        "created_at": text_of(BEGIN),
        "updated_at": text_of(BEGIN + version * SECOND),
    }
    return OrderEvent(**_common("order", number, version, generation, {**plain, **facts}))


def alert(number: int, version: int, *, generation: int = 1, **facts: Any) -> AlertEvent:
    """Alert `number`, open."""
    plain: dict[str, Any] = {
        "type": "HIGH_TEMPERATURE",
        "severity": "warning",
        "message": "température 31.2 °C (seuil 30.0)",
        "value": 31.2,
        "threshold": 30.0,
        "status": "open",
        "started_at": text_of(BEGIN),
        "resolved_at": None,
        "created_at": text_of(BEGIN),
        "updated_at": text_of(BEGIN + version * SECOND),
    }
    return AlertEvent(**_common("alert", number, version, generation, {**plain, **facts}))


def stop(number: int, version: int, *, generation: int = 1, **facts: Any) -> DowntimeEvent:
    """Stop `number`, open."""
    plain: dict[str, Any] = {
        "start_time": text_of(BEGIN),
        "end_time": None,
        "duration": None,
        "category": "unplanned",
        "reason": None,
        "order_number": "ORD-1",
        "shift_id": "APRES_MIDI",
        "created_at": text_of(BEGIN),
        "updated_at": text_of(BEGIN + version * SECOND),
    }
    return DowntimeEvent(**_common("stop", number, version, generation, {**plain, **facts}))


def kpi(number: int, version: int, *, generation: int = 1, **facts: Any) -> KpiEvent:
    """Window `number`, a minute that ran all the time."""
    plain: dict[str, Any] = {
        "window_start": text_of(BEGIN + number * MINUTE),
        "window_end": text_of(BEGIN + (number + 1) * MINUTE),
        "day": "2025-01-17",
        "hour": text_of(BEGIN + number * MINUTE),
        "time_zone": "Europe/Paris",
        "order_number": "ORD-1",
        "product_type": "Bouteille Standard 1L",
        "shift_id": "APRES_MIDI",
        "shift_date": "2025-01-17",
        "trs": 82.3,
        "availability": 100.0,
        "performance": 82.3,
        "quality": 100.0,
        "oee": 82.3,
        "do": 100.0,
        "tp": 82.3,
        "tq": 100.0,
        "reason": None,
        "performance_from": "rate",
        "running_seconds": 60.0,
        "slow_seconds": 0.0,
        "stopped_seconds": 0.0,
        "micro_seconds": 0.0,
        "planned_seconds": 0.0,
        "no_signal_seconds": 0.0,
        "closed_seconds": 0.0,
        "unknown_seconds": 0.0,
        "pieces": 100,
        "timed_pieces": 100,
        "defects": 0,
        "theoretical_output": 120.0,
        "reported_output": 98.76,
        "stops": 0,
        "micro_stops": 0,
        "created_at": text_of(BEGIN),
        "updated_at": text_of(BEGIN + version * SECOND),
    }
    return KpiEvent(**_common("kpi", number, version, generation, {**plain, **facts}))


def dead_letter(number: int, *, generation: int = 1, **facts: Any) -> DeadLetterEvent:
    """The dead letter of the raw record at offset `number`."""
    plain: dict[str, Any] = {
        "topic": "plant.raw",
        "partition": 0,
        "offset": number,
        "mqtt_topic": "production/ligne1/data",
        "payload": b"\x00\xff\\not json",
        "reason": "not_json",
        "detail": "JSON invalide",
        "received_at": text_of(BEGIN),
    }
    return DeadLetterEvent(**_common("dead", number, number, generation, {**plain, **facts}))


def record(topic: str, offset: int, value: bytes | None, partition: int = 0) -> ConsumerRecord:
    """A record as the consumer hands it over."""
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=BEGIN + offset,
        timestamp_type=0,
        key=b"ligne1",
        value=value,
        checksum=None,
        serialized_key_size=6,
        serialized_value_size=len(value or b""),
        headers=(),
    )


def log(*events: Event | bytes, at: int = 0, topic: str = "", partition: int = 0) -> Sequence[ConsumerRecord]:
    """The events as a partition of their topic holds them, from offset `at` on; bytes go as they are."""
    named = topic or next(TOPIC_OF[type(event)] for event in events if isinstance(event, Event))
    return [
        record(
            named, at + place, event if isinstance(event, bytes) else msgspec.json.encode(event), partition
        )
        for place, event in enumerate(events)
    ]
