"""A machine that says what a test wants it to say."""

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from runtime.settings import Settings


def publish(settings: Settings, messages: list[tuple[str, bytes]]) -> None:
    """Publish at QoS 1, in order, each acknowledged."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    url = settings.mqtt
    client.connect(url.hostname or "", url.port or 1883)
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()
