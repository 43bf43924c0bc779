"""Kafka API, MQTT broker and PostgreSQL together, on the standard ports where they are free."""

from pathlib import Path

from linepulse.embedded.kafka import EmbeddedKafka
from linepulse.embedded.mqtt import EmbeddedMqtt
from linepulse.embedded.ports import free_port
from linepulse.embedded.postgres import PostgresServer
from linepulse.embedded.server import Server

STANDARD_PORTS = {"kafka": 9092, "mqtt": 1883, "postgres": 5432}
DATABASE = "dashboard_kpi"


class EmbeddedStack:
    """Three servers below one folder."""

    def __init__(self, folder: Path) -> None:
        ports = {name: free_port(standard) for name, standard in STANDARD_PORTS.items()}
        self.kafka = EmbeddedKafka(folder / "kafka", ports["kafka"])
        self.mqtt = EmbeddedMqtt(folder / "mqtt", ports["mqtt"])
        self.postgres = PostgresServer(folder / "postgres", ports["postgres"])
        self._servers: list[Server] = [self.kafka, self.mqtt, self.postgres]

    def start(self) -> None:
        """Start them.

        Raises:
            ServerError: one of them did not start.
        """
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        """End them, whatever state they are in."""
        for server in reversed(self._servers):
            server.stop()

    @property
    def addresses(self) -> dict[str, str]:
        """Where clients find them."""
        return {
            "MQTT_BROKER_URL": self.mqtt.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.url,
            "DATABASE_URL": self.postgres.database_url(DATABASE),
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment for roles on these servers: the addresses, and the settings that they need."""
        return {
            **self.addresses,
            "LINEPULSE_KAFKA_IDEMPOTENCE": "false",
            # A join waits for half of the rebalance timeout, which can be short on one machine.
            "LINEPULSE_KAFKA_SESSION_TIMEOUT_S": "6",
            "LINEPULSE_KAFKA_REBALANCE_TIMEOUT_S": "3",
            "LINEPULSE_MQTT_RECEIVE_MAXIMUM": "40",
            "LINEPULSE_MQTT_PACKET_IDS": "0",  # rumqttd numbers anew what it sends again
        }
