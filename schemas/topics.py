"""The names of the Kafka topics, and the MQTT filters."""

from dataclasses import dataclass

from schemas.events import DERIVED, Event

MQTT_FILTERS = ("production/+/data", "production/+/status", "production/+/order")
PARTITIONS = 6
RAW_RETENTION_DAYS = 400
DERIVED_RETENTION_DAYS = 7


@dataclass(frozen=True)
class Topics:
    """The names under one prefix (`production` unless `LINEPULSE_TOPIC_PREFIX` says otherwise)."""

    prefix: str = "production"

    @property
    def raw(self) -> str:
        return f"{self.prefix}.raw"

    @property
    def samples(self) -> str:
        return f"{self.prefix}.samples"

    @property
    def orders(self) -> str:
        return f"{self.prefix}.orders"

    @property
    def downtimes(self) -> str:
        return f"{self.prefix}.downtimes"

    @property
    def alerts(self) -> str:
        return f"{self.prefix}.alerts"

    @property
    def kpis(self) -> str:
        return f"{self.prefix}.kpis"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}.dead-letters"

    @property
    def rules(self) -> str:
        return f"{self.prefix}.rules"

    def group(self, generation: int) -> str:
        """The consumer group of the stream stage; Kafka's own tools show its lag."""
        return f"{self.prefix}-streams-{generation}"

    @property
    def derived(self) -> tuple[str, ...]:
        """The topics that the stream stage writes and the sinks read."""
        return tuple(dict.fromkeys(self.of(kind) for kind in DERIVED))

    def of(self, kind: type[Event]) -> str:
        """The derived topic of a type of event."""
        return f"{self.prefix}.{kind.sent_to}"
