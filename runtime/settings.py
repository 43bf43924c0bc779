"""Settings: environment variables and `.env`, read once by each role at its start."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, FilePath, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.redact import redacted, without_password
from schemas.topics import PARTITIONS, Topics

__all__ = ["Settings", "SettingsError", "without_password"]


class SettingsError(ValueError):
    """A variable is malformed; the text names it, its value (without passwords) and what to do."""


MQTT_FORM = "expected mqtt://host[:port] or mqtts://…, where needed with user:password@ before the host"
DATABASE_FORM = "expected postgresql://host[:port]/database, where needed with user:password@ before the host"
ENCODE = "; special characters in them are written percent-encoded: %40 for @, %2F for /, %25 for %"
_UNKNOWN_PARAMETER = re.compile(r'invalid URI query parameter: "(\w+)"')


def _mqtt_url(url: str) -> str:
    parts = _split(url, MQTT_FORM)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError(MQTT_FORM)
    return url


def _split(url: str, form: str) -> SplitResult:
    """The parts of an URL. Python's own errors are dropped, because they quote the password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(form + ENCODE) from None
    if "@" in parts.path + parts.query + parts.fragment and "@" not in parts.netloc:
        raise ValueError(form + ENCODE)  # the supposed host is the start of a password that holds /, ? or #
    return parts


def _bootstrap(servers: str) -> str:
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("expected host:port[,host:port…]")
    return servers


def _database_url(url: str) -> str:
    parts = _split(url, DATABASE_FORM)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ValueError(DATABASE_FORM)
    if parts.query or "%" in url:
        from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 - slow to import, rarely needed

        try:
            conninfo.conninfo_to_dict(url)
        except ProgrammingError as error:
            unknown = _UNKNOWN_PARAMETER.search(str(error))
            if unknown is None:  # the error quotes what it can't read, which may be part of the password
                raise ValueError(DATABASE_FORM + ENCODE) from None
            raise ValueError(f"{unknown[0]}; leave it out") from None  # such as Prisma's ?schema=public
    return url


def _prefix(prefix: str) -> str:
    if not prefix or not all(c.isalnum() or c in "._-" for c in prefix):
        raise ValueError("expected letters, digits, '.', '_' or '-'")
    return prefix


class Settings(BaseSettings):
    """Every variable of linepulse, with its default; all are optional."""

    # The prefix keeps `LANG` and `LOG` of the environment, which are not ours, from being read by field name.
    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="LINEPULSE_", extra="ignore", populate_by_name=True, frozen=True
    )

    mqtt_broker_url: Annotated[str, AfterValidator(_mqtt_url)] = Field(
        "mqtt://localhost:1883",
        title="MQTT broker",
        description="mqtt:// or mqtts://, with user and password where the broker asks for them",
        validation_alias="MQTT_BROKER_URL",
    )
    kafka_bootstrap_servers: Annotated[str, AfterValidator(_bootstrap)] = Field(
        "localhost:9092",
        title="Kafka",
        description="host:port of one or more Kafka brokers, separated by commas",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "postgresql://postgres@localhost:5432/dashboard_kpi",
        title="PostgreSQL",
        description="the database that the sinks write and the dashboard reads",
        validation_alias="DATABASE_URL",
    )
    plant: Path = Field(
        Path("plant.toml"),
        title="Plant file",
        description="the plant's rules; a missing default file means the built-in rules",
        validation_alias="LINEPULSE_PLANT",
    )
    lang: Literal["fr", "en"] = Field(
        "fr",
        title="Language",
        description="language of the narrated log, the page and messages",
        validation_alias="LINEPULSE_LANG",
    )
    log: Literal["pretty", "json"] = Field(
        "pretty",
        title="Log form",
        description="pretty: narrated lines for people; json: one JSON object a line",
        validation_alias="LINEPULSE_LOG",
    )
    topic_prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        "production",
        title="Topic prefix",
        description="prefix of the Kafka topics",
        validation_alias="LINEPULSE_TOPIC_PREFIX",
    )
    partitions: int = Field(
        PARTITIONS,
        ge=1,
        le=256,
        title="Partitions",
        description="partitions of every topic; roles that use Kafka refuse to start on another number",
        validation_alias="LINEPULSE_PARTITIONS",
    )
    replication: int = Field(
        1,
        ge=1,
        le=7,
        title="Replication",
        description="copies of each partition that `setup` asks Kafka for",
        validation_alias="LINEPULSE_REPLICATION",
    )
    kafka_idempotence: bool = Field(
        True,
        title="Idempotent producers",
        description="false only for the embedded broker, which has none",
        validation_alias="LINEPULSE_KAFKA_IDEMPOTENCE",
    )
    kafka_session_timeout_s: float = Field(
        10.0,
        ge=1,
        le=300,
        title="Kafka session timeout",
        description="seconds without a heartbeat after which a worker's partitions go to others",
        validation_alias="LINEPULSE_KAFKA_SESSION_TIMEOUT_S",
    )
    kafka_rebalance_timeout_s: float = Field(
        10.0,
        ge=1,
        le=300,
        title="Kafka rebalance timeout",
        description="seconds that a group waits for its workers to join again",
        validation_alias="LINEPULSE_KAFKA_REBALANCE_TIMEOUT_S",
    )
    mqtt_client_id: str = Field(
        "linepulse-bridge",
        min_length=1,
        max_length=64,
        title="MQTT client id",
        description="the bridge's name at the broker, which keeps its session under it: never change it",
        validation_alias="LINEPULSE_MQTT_CLIENT_ID",
    )
    mqtt_receive_maximum: int = Field(
        500,
        ge=1,
        le=65_535,
        title="MQTT receive maximum",
        description="messages that may be in flight from the broker to the bridge",
        validation_alias="LINEPULSE_MQTT_RECEIVE_MAXIMUM",
    )
    mqtt_packet_ids: int = Field(
        65_535,
        ge=0,
        le=65_535,
        validate_default=True,
        title="MQTT packet ids",
        description="after so many messages the broker's packet ids come round; 0 for a broker that sends"
        " messages again under other ids: they are then written again, never lost",
        validation_alias="LINEPULSE_MQTT_PACKET_IDS",
    )
    mqtt_version: Literal["5", "3.1.1"] = Field(
        "5",
        title="MQTT version",
        description="the protocol that the bridge speaks",
        validation_alias="LINEPULSE_MQTT_VERSION",
    )
    mqtt_ca_file: FilePath | None = Field(
        None,
        title="MQTT certificate authority",
        description="PEM file of the authority that signed the broker's certificate; unset: the system's",
        validation_alias="LINEPULSE_MQTT_CA_FILE",
    )
    mqtt_budget_bytes: int | None = Field(
        None,
        ge=1,
        title="MQTT buffer, bytes",
        description="memory that the MQTT broker may use (its memory_limit, or its machine's): shows for how"
        " long it can keep messages; unset: what is free here, if the broker runs on this machine",
        validation_alias="LINEPULSE_MQTT_BUDGET_BYTES",
    )
    mqtt_budget_messages: int | None = Field(
        None,
        ge=1,
        title="MQTT buffer, messages",
        description="messages that the broker may keep for a session (its max_queued_messages); unset: any",
        validation_alias="LINEPULSE_MQTT_BUDGET_MESSAGES",
    )
    max_payload_bytes: int = Field(
        900 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        title="Largest payload",
        description="a larger MQTT payload goes to the log cut, as `oversize`; topics that are there keep"
        " their own limit: `linepulse doctor` says how to raise it",
        validation_alias="LINEPULSE_MAX_PAYLOAD_BYTES",
    )
    bridge_gather_ms: int = Field(
        50,
        ge=0,
        le=2000,
        title="Gathering in the bridge",
        description="after a request to Kafka, milliseconds in which messages gather for the next",
        validation_alias="LINEPULSE_BRIDGE_GATHER_MS",
    )
    streams_gather_ms: int = Field(
        100,
        ge=0,
        le=2000,
        title="Gathering in the stream stage",
        description="milliseconds for which Kafka gathers records for a fetch",
        validation_alias="LINEPULSE_STREAMS_GATHER_MS",
    )
    sinks_gather_ms: int = Field(
        100,
        ge=0,
        le=2000,
        title="Gathering in the sinks",
        description="milliseconds for which Kafka gathers events for a fetch, which are one transaction",
        validation_alias="LINEPULSE_SINKS_GATHER_MS",
    )
    http_host: str = Field(
        "127.0.0.1",
        title="Health address",
        description="where /healthz, /readyz and /metrics listen; 0.0.0.0 in a container",
        validation_alias="LINEPULSE_HTTP_HOST",
    )
    http_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        title="Health port",
        description="port of /healthz, /readyz and /metrics; unset: the role's own, or a free one",
        validation_alias="LINEPULSE_HTTP_PORT",
    )
    dashboard_host: str = Field(
        "127.0.0.1",
        title="Page address",
        description="where the page listens; 0.0.0.0 lets the plant's network see it",
        validation_alias="LINEPULSE_DASHBOARD_HOST",
    )
    dashboard_port: int = Field(
        8080,
        ge=0,
        le=65_535,
        title="Page port",
        description="port of the page",
        validation_alias="LINEPULSE_DASHBOARD_PORT",
    )

    @field_validator("mqtt_packet_ids")
    @classmethod
    def _distinguish_messages(cls, ids: int, info: ValidationInfo) -> int:
        # Four windows of messages are read back, at most a third of the ids: see `bridge.deduplicator`.
        most = ids // 12
        if ids > 0 and info.data.get("mqtt_receive_maximum", 0) > most:
            raise ValueError(f"expected LINEPULSE_MQTT_RECEIVE_MAXIMUM to be {most} at most, a twelfth of it")
        return ids

    @property
    def topics(self) -> Topics:
        """The Kafka topics under this installation's prefix."""
        return Topics(self.topic_prefix)

    @property
    def mqtt(self) -> SplitResult:
        """The broker's URL in its parts."""
        return urlsplit(self.mqtt_broker_url)

    @classmethod
    def read(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsError: a variable is malformed.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError("\n".join(_sentence(cls, e) for e in error.errors())) from None


def _sentence(settings: type[BaseSettings], error: object) -> str:
    assert isinstance(error, dict)
    name = str(error["loc"][0])
    if name in settings.model_fields:  # a default is named after its field
        name = str(settings.model_fields[name].validation_alias)
    value = error["input"]
    value = without_password(value) if isinstance(value, str) else value
    described = {f.validation_alias: f.description for f in settings.model_fields.values()}
    why = redacted(str(error["msg"]).removeprefix("Value error, "))
    return f"{name}: {value!r}: {why} ({described.get(name)})"
