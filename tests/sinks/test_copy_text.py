"""Lines for COPY: what PostgreSQL reads from them is what the event says."""

from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql

from schemas.events import DeadLetterEvent, Event
from sinks.schema import migrate
from sinks.tables import TABLE_OF, line_of
from tests.services import Services
from tests.sinks.records import alert, kpi, order, sample, stop

ODD = 'a\tb\nc\r"d" \\N \\. é ✅'


def letter() -> DeadLetterEvent:
    return DeadLetterEvent(
        generation=1,
        version=(1, 2),
        id="6f3f1c5e-7a0b-5d0e-9c57-0d9a4be3c2a1",
        line_id=ODD,
        line=ODD,
        topic="production.raw",
        partition=3,
        offset=2**40,
        mqtt_topic=ODD,
        payload=bytes(range(256)),
        reason="not_json",
        detail=ODD,
        received_at="2026-01-15T09:00:00.123Z",
    )


EVENTS: list[Event] = [
    sample(1, line=ODD, shift_id=ODD, target_rate=1e-300, actual_rate=-0.1, is_running=False),
    sample(
        2, target_rate=None, actual_rate=None, temperature=None, pressure=None, shift_id=None, shift_date=None
    ),
    sample(3, target_rate=120, temperature=1e9),
    order(1, 7, operator=ODD, product_type=ODD, target_rate=None),
    stop(1, 2, reason=ODD, duration=0.001),
    alert(1, 3, message=ODD, value=None),
    kpi(1, 4, trs=None, reason="not_required"),
    letter(),
]


def test_every_table_is_tried() -> None:
    """Whoever adds a table must add its event to EVENTS."""
    assert {type(event) for event in EVENTS} == set(TABLE_OF)


@pytest.fixture(scope="module")
def database(services: Services) -> str:
    url = services.database()
    migrate(url)
    return url


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_row_holds_what_its_event_says(database: str, event: Event) -> None:
    """Every column, whatever the texts and the numbers are."""
    table = TABLE_OF[type(event)]
    named = sql.SQL(", ").join(map(sql.Identifier, table.copy_columns))
    with psycopg.connect(database) as connection:
        connection.execute("SET timezone = 'UTC'")
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), named)
        with connection.cursor().copy(query) as copy:
            copy.write((line_of(event) + "\n").encode())
        query = sql.SQL("SELECT {} FROM {}").format(named, sql.Identifier(table.name))
        found = connection.execute(query, binary=True).fetchone()
        connection.rollback()
    assert found is not None
    expected = {field.encode_name: getattr(event, field.name) for field in msgspec.structs.fields(event)}
    expected |= {"versionTime": event.version[0], "versionOffset": event.version[1]}
    assert [_as_copied(value) for value in found] == [expected[name] for name in table.copy_columns]


def _as_copied(value: Any) -> Any:
    if hasattr(value, "hour"):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if type(value).__name__ in ("UUID", "date") else value
