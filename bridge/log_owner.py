"""Which client id owns a log: that of the bridge that wrote its highest run.

A client id is an MQTT session, and each session gets every message: bridges with two client ids on one log
would write every message twice.
"""

from collections import Counter

from runtime.settings import Settings, SettingsError


class OtherClientError(SettingsError):
    """The log belongs to a bridge with another client id."""


class LogOwner:
    """Finds the highest run among the records of a log, and the client id that wrote it.

    Two bridges that start at the same time on an empty log take the same run, and each may find the other's
    fence before its own. The owner is then the one that comes first in the lowest partition: both agree on
    it.
    """

    def __init__(self) -> None:
        self.run = 0
        self._clients: dict[int, Counter[str]] = {}

    def take(self, partition: int, run: int, client: str) -> None:
        """Note a record; those of a partition in order. `client` is empty if the record names none."""
        if run > self.run:
            self.run, self._clients = run, {}
        if run == self.run and client:
            self._clients.setdefault(partition, Counter())[client] += 1

    @property
    def client(self) -> str:
        """The owner's client id; empty if no record names one, as in ticks of older releases."""
        if not self._clients:
            return ""
        # By number first: the loser of the race wrote nothing but its fence. Of equals `max` takes the first.
        written = self._clients[min(self._clients)]
        return max(written, key=written.__getitem__)


def require_own_log(settings: Settings, client: str, run: int) -> None:
    """Make sure that we own a log whose highest run was written by `client`.

    Raises:
        OtherClientError: another client id owns it.
    """
    if client in ("", settings.mqtt_client_id):
        return
    raise OtherClientError(
        f"LINEPULSE_MQTT_CLIENT_ID: {settings.mqtt_client_id!r}: topic {settings.topics.raw} on"
        f" {settings.kafka_bootstrap_servers} is written by the bridge with client id {client!r} (run {run})."
        " Each client id gets every MQTT message, so two of them would count everything twice: set"
        f" LINEPULSE_MQTT_CLIENT_ID={client}, or take another LINEPULSE_TOPIC_PREFIX for a log of its own"
    )
