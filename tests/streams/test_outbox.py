"""Sending derived events."""

from runtime.settings import Settings
from schemas.events import DeadLetterEvent
from streams.outbox import Outbox
from tests.services import Services

MIB = 1 << 20


def letter(payload: bytes) -> DeadLetterEvent:
    return DeadLetterEvent(
        generation=1,
        version=(1, 1),
        id="a",
        line_id="ligne1",
        line="Ligne 1",
        topic="production.raw",
        partition=0,
        offset=1,
        mqtt_topic="production/ligne1/data",
        payload=payload,
        reason="not_json",
        detail="",
        received_at="2026-01-15T09:00:00.000Z",
    )


async def test_a_dead_letter_of_the_largest_payload_goes_out(services: Services):
    """Only the bridge limits payloads: a worker's own setting does not stop a larger one."""
    largest = 6 * MIB
    bridges = services.settings(postgres=None, database_url="postgresql://a/b", max_payload_bytes=largest)
    default = Settings.model_fields["max_payload_bytes"].default
    outbox = Outbox(bridges.model_copy(update={"max_payload_bytes": default}))
    try:
        assert await outbox.send(0, [letter(b"x"), letter(b"x" * largest)]) is None
    finally:
        await outbox.stop()
