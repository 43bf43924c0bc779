"""The last batch sent to each derived topic: a topic that was deleted and made anew does not hold it."""

from collections.abc import Mapping

from aiokafka.structs import RecordMetadata

from schemas.state import Place


class Sent:
    """Where the last batch is in each topic, by partition. Saved in the partition's own entry."""

    def __init__(self) -> None:
        self._places: dict[int, dict[str, Place]] = {}

    def begin(self, partition: int, places: Mapping[str, Place]) -> None:
        """Start from what an own entry says."""
        self._places[partition] = dict(places)

    def places(self, partition: int) -> dict[str, Place]:
        """The last batch of each topic."""
        return dict(self._places.get(partition, {}))

    def note(self, answer: RecordMetadata) -> bool:
        """Note where Kafka stored a batch; False if that is not after the previous one: it is another log."""
        if answer.offset < 0:  # stored by an earlier try; Kafka does not say where
            return True
        places = self._places.setdefault(answer.partition, {})
        known = places.get(answer.topic)
        # The time that Kafka gave it, if the topic is of that kind (LogAppendTime).
        places[answer.topic] = (answer.offset, answer.timestamp if answer.timestamp_type == 1 else None)
        return known is None or answer.offset > known[0]
