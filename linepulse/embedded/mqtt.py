"""The embedded MQTT broker: rumqttd (iotcore) behind a proxy, so that one port serves MQTT 3.1.1 and 5.

A rumqttd listener speaks one version of the protocol and drops clients of the other. The proxy reads the
version in a client's first packet and passes the connection to the right listener.

rumqttd does not set the DUP flag on what it sends again, has at most IN_FLIGHT messages in flight (it ignores
the client's receive maximum; its packet ids cycle over as many), and forgets everything when it ends.
"""

import sys
from pathlib import Path

from linepulse.embedded.ports import free_port
from linepulse.embedded.server import Server

IN_FLIGHT = 100
MAX_PAYLOAD = 8 * 1024 * 1024
SEGMENT = 16 * 1024 * 1024  # a filter's log holds up to SEGMENTS of these, read or not
SEGMENTS = 8

LISTENER = """
[{version}.1]
name = "{version}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_payload}
max_inflight_count = {in_flight}
dynamic_filters = true
"""
ROUTER = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = {segment}
max_segment_count = {segments}
"""


class EmbeddedMqtt(Server):
    """An MQTT broker on one port, any client, no password."""

    name = "mqtt"

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        inner = {"v4": free_port(), "v5": free_port()}
        text = ROUTER.format(segment=SEGMENT, segments=SEGMENTS)
        for version, port in inner.items():
            text += LISTENER.format(version=version, port=port, max_payload=MAX_PAYLOAD, in_flight=IN_FLIGHT)
        config = self.folder / "rumqttd.toml"
        config.write_text(text, "utf-8")
        proxy = Path(__file__).with_name("mqtt_version_proxy.py")
        ports = [str(port) for port in (self.port, inner["v4"], inner["v5"])]
        return [sys.executable, "-P", str(proxy), str(config), *ports]
