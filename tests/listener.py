"""A subscriber of its own: counts what really reached the broker."""

import json
from queue import Queue
from typing import Any, Self
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.eventually import wait_until


class Listener:
    """Everything published under a filter while the `with` block lasts, in order of arrival."""

    def __init__(self, url: str, topics: str = "production/#") -> None:
        parts = urlsplit(url)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._unread: Queue[mqtt.MQTTMessage] = Queue()
        self._subscribed = False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._client.on_connect = lambda *_: self._client.subscribe(topics, 1) and None
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect(parts.hostname or "localhost", parts.port or 1883)

    def __enter__(self) -> Self:
        self._client.loop_start()
        wait_until(lambda: self._subscribed, "the broker to take the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def next(self, seconds: float = 10) -> mqtt.MQTTMessage:
        """The message after the last one that was asked for.

        Raises:
            queue.Empty: none came in time.
        """
        return self._unread.get(timeout=seconds)

    def data(self, line_id: str) -> list[dict[str, Any]]:
        """The data payloads of a line."""
        return [payload for topic, payload in self.heard if topic == f"production/{line_id}/data"]

    def statuses(self, line_id: str) -> list[dict[str, Any]]:
        """The status payloads of a line."""
        return [payload for topic, payload in self.heard if topic == f"production/{line_id}/status"]

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed = True

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self._unread.put(message)
        self.heard.append((message.topic, json.loads(message.payload)))
