"""Sends derived events, with an idempotent producer of our own (Faust's is not idempotent)."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.producer import Record, close_producer, open_producer, send_batches
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.events import DERIVED, Event
from streams.sent import Sent

BATCH_BYTES = 256 * 1024
Replace = Callable[[Event, Exception], Event]


class Outbox:
    """Sends events to their topics, each in the partition of the record that caused it."""

    def __init__(self, settings: Settings) -> None:
        self.sent = Sent()
        self._settings = settings
        self._topics = {kind: settings.topics.of(kind) for kind in DERIVED}
        self._encode = msgspec.json.Encoder().encode
        self._producer: AIOKafkaProducer | None = None  # opened by the first send
        self._opening = asyncio.Lock()

    async def send(
        self, partition: int, events: Iterable[Event], replace: Replace | None = None
    ) -> str | None:
        """Send events; they are durable when this returns.

        Args:
            replace: returns the event to send in place of one that can't be encoded.
        Returns:
            A topic that was made anew since the last call, so what it held is lost; None if there is none.
        Raises:
            Unavailable: Kafka did not store all of them; send all of them again.
        """
        sorted_out: dict[str, list[Record]] = {}
        for event in events:
            sent_event = event
            try:
                value = self._encode(sent_event)
            except Exception as error:
                if replace is None:
                    raise
                sent_event = replace(event, error)
                value = self._encode(sent_event)
            encoded = sent_event.line_id.encode(), value, sent_event.version[0]
            sorted_out.setdefault(self._topics[type(sent_event)], []).append(encoded)
        try:
            producer = await self._started()
            sent = [
                await send_batches(producer, topic, partition, group) for topic, group in sorted_out.items()
            ]
            answers = await asyncio.gather(*(future for futures in sent for future in futures))
        except KafkaError as error:
            await self.stop()
            raise Unavailable(f"Kafka: {error!r}") from error
        anew = [answer.topic for answer in answers if not self.sent.note(answer)]
        return anew[0] if anew else None

    async def _started(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                self._producer = await open_producer(self._settings, BATCH_BYTES)
            return self._producer

    async def stop(self) -> None:
        """Close the producer; the next send opens another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer)
