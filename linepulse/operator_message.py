"""Sends what people ask for: one MQTT message on `production/<line>/order` or `status`."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote
from uuid import uuid4

import orjson
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from plant.catalogue import refusal
from plant.timestamps import event_time
from runtime.errors import UserError
from runtime.settings import Settings, without_password
from schemas.errors import Poison
from schemas.operator_message import parse_operator_message
from schemas.payloads import parse_order
from schemas.raw import LINE_ID, Kind

PATIENCE_S = 10.0


def message_of(settings: Settings, line: str, kind: Kind, fields: dict[str, object]) -> tuple[str, bytes]:
    """A person's message: its `requestId`, which is also added to `fields`, and its bytes.

    Raises:
        UserError: the line's name is not valid, or the pipeline would refuse the message in any state.
    """
    if not LINE_ID.fullmatch(line):
        raise UserError(
            f"--line {line!r}: expected 1 to 64 of letters, digits, '_', '-', '.'; such as ligne1"
        )
    request = str(fields.setdefault("requestId", str(uuid4())))
    try:
        payload = orjson.dumps({name: value for name, value in fields.items() if value is not None})
    except TypeError:  # a word of the command line that is no UTF-8
        raise UserError(f"{line}: what is to be sent is not valid UTF-8") from None
    try:
        if kind is Kind.ORDER:
            parse_order(payload)
        else:
            parse_operator_message(payload)
        for name in ("at", "start", "end"):
            event_time(fields.get(name), "UTC", name)  # type: ignore[arg-type]
    except Poison as poison:
        raise UserError(refusal(settings.lang, poison)) from None
    return request, payload


def publish(settings: Settings, line: str, kind: Kind, payload: bytes) -> None:
    """Publish a message of a line at QoS 1, and wait until the broker has it.

    Raises:
        UserError: the broker does not accept the message.
    """
    with _session(settings) as client:
        sent = client.publish(f"production/{line}/{kind}", payload, qos=1)
        sent.wait_for_publish(PATIENCE_S)
        if not sent.is_published():
            raise UserError(
                f"{_where(settings)}: the broker did not acknowledge it in {PATIENCE_S:g} s; try again"
            )


def broker_answers(settings: Settings) -> None:
    """Open a session and close it.

    Raises:
        UserError: the broker does not answer, or refuses access.
    """
    with _session(settings):
        pass


@contextmanager
def _session(settings: Settings) -> Iterator[Client]:
    client = _client(settings)
    answered, refused = threading.Event(), list[str]()

    def on_connect(_c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            refused.append(str(reason))
        answered.set()

    client.on_connect = on_connect
    try:
        client.connect(settings.mqtt.hostname or "localhost", settings.mqtt.port or _default_port(settings))
    except OSError as error:
        raise UserError(
            f"{_where(settings)}: no MQTT broker answers ({error}); start it, or correct the variable"
        ) from None
    client.loop_start()
    try:
        if not answered.wait(PATIENCE_S):
            raise UserError(f"{_where(settings)}: no MQTT broker, there is no answer; correct the variable")
        if refused:
            raise UserError(
                f"{_where(settings)}: the broker refused us ({refused[0]}); correct user or password"
            )
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _where(settings: Settings) -> str:
    return f"MQTT_BROKER_URL: {without_password(settings.mqtt_broker_url)}"


def _client(settings: Settings) -> Client:
    version = MQTTProtocolVersion.MQTTv5 if settings.mqtt_version == "5" else MQTTProtocolVersion.MQTTv311
    client = Client(CallbackAPIVersion.VERSION2, f"linepulse-order-{uuid4().hex[:12]}", protocol=version)
    if settings.mqtt.username is not None:
        client.username_pw_set(unquote(settings.mqtt.username), unquote(settings.mqtt.password or ""))
    if settings.mqtt.scheme == "mqtts":
        cafile = None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file)
        client.tls_set_context(ssl.create_default_context(cafile=cafile))
    return client


def _default_port(settings: Settings) -> int:
    return 8883 if settings.mqtt.scheme == "mqtts" else 1883
