"""Apache Kafka from Maven Central, Mosquitto and PostgreSQL from Debian, each in a folder of its own."""

import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from linepulse.embedded.ports import free_port
from linepulse.embedded.postgres import PostgresServer
from linepulse.embedded.server import Server

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".linepulse"
HEAP = "-Xmx360m"
BRIEF = "-XX:TieredStopAtLevel=1"  # of who lives for a minute, most of the work is to start: 40 % less of it


def missing() -> list[str]:
    """What must be installed before the native servers can run."""
    wrong = []
    if shutil.which("java") is None:
        wrong.append("java (apt-get install default-jre-headless)")
    if shutil.which("mvn") is None and not kafka_jars().is_dir():
        wrong.append("mvn (apt-get install maven)")
    if mosquitto() is None:
        wrong.append("mosquitto (apt-get install mosquitto)")
    if postgres_binaries() is None:
        wrong.append("PostgreSQL (apt-get install postgresql)")
    return wrong


def mosquitto() -> str | None:
    return shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin") or shutil.which("mosquitto")


def postgres_binaries() -> Path | None:
    """The newest of Debian's installations."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def kafka_jars() -> Path:
    """The folder of Kafka's jars, named after the version in pom.xml."""
    version = re.search(
        r"<artifactId>kafka_2.13</artifactId>\s*<version>([^<]+)", (HERE / "pom.xml").read_text()
    )
    assert version is not None
    return KEPT / f"kafka-{version[1]}" / "libs"


def fetch_kafka() -> None:
    """Have Maven copy Kafka's jars, once; a copy that was cut short is not taken for one."""
    jars = kafka_jars()
    if jars.is_dir():
        return
    partial = jars.with_name(f"partial-{uuid.uuid4().hex}")
    fetched = subprocess.run(
        [
            "mvn",
            "-q",
            "-B",
            "-f",
            str(HERE / "pom.xml"),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={partial}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        pytest.exit(f"Maven could not fetch Kafka:\n{fetched.stdout}{fetched.stderr}", returncode=3)
    if not jars.is_dir():
        partial.rename(jars)


def classes() -> Path:
    """Java's archive of the classes that Kafka loads. Java leaves it aside where it does not fit."""
    return kafka_jars().with_name("classes.jsa")


def archive_classes() -> None:
    """Have a Kafka write the archive as it ends, once: later ones start with two thirds of the CPU."""
    if classes().is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "classes.jsa"
        kafka = NativeKafka(
            Path(folder) / "kafka", brief=True, options=[f"-XX:ArchiveClassesAtExit={written}"]
        )
        kafka.start(300)
        kafka.stop(60)
        if written.is_file():
            partial = classes().with_name(f"partial-{uuid.uuid4().hex}")
            shutil.copyfile(written, partial)
            partial.rename(classes())


class NativeKafka(Server):
    """One KRaft node. Topics are never made by themselves.

    `detours`: further ports, by name: where it listens, and the port that it tells who comes there to use.
    `options`: of Java.
    """

    name = "kafka"
    # Formatting takes a Java process, and gives the same each time: the first folder is copied.
    _formatted: ClassVar[Path | None] = None

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        detours: Mapping[str, tuple[int, int]] | None = None,
        *,
        brief: bool = False,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, port)
        shared = [f"-XX:SharedArchiveFile={classes()}"] if classes().is_file() else []
        self._options = [*shared, *([BRIEF] if brief else []), *options]
        self._controller = free_port()
        self._detours = {name.upper(): ports for name, ports in (detours or {}).items()}

    def prepare(self) -> None:
        fetch_kafka()
        properties = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(
                [
                    f"PLAINTEXT://127.0.0.1:{self.port}",
                    f"CONTROLLER://127.0.0.1:{self._controller}",
                    *(f"{name}://127.0.0.1:{listens}" for name, (listens, _) in self._detours.items()),
                ]
            ),
            "advertised.listeners": ",".join(
                [
                    f"PLAINTEXT://127.0.0.1:{self.port}",
                    *(f"{name}://127.0.0.1:{told}" for name, (_, told) in self._detours.items()),
                ]
            ),
            "listener.security.protocol.map": ",".join(
                f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *self._detours)
            ),
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        data = self.folder / "data"
        before = NativeKafka._formatted
        if before is not None and before.is_dir():
            shutil.copytree(before, data)
            return
        self._format()
        kept = self.folder / "formatted"
        shutil.copytree(data, kept)
        NativeKafka._formatted = kept

    def _format(self) -> None:
        formatted = subprocess.run(
            [
                *self._java("kafka.tools.StorageTool"),
                *("format", "-t", "linepulse-tests-000001", "-c", str(self._properties)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr

    def command(self) -> list[str]:
        return [*self._java("kafka.Kafka"), str(self._properties)]

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, main: str) -> list[str]:
        options = [HEAP, "-XX:+UseSerialGC", "-Dlog4j2.level=WARN", *self._options]
        return ["java", *options, "-cp", f"{kafka_jars()}/*", main]


class Mosquitto(Server):
    """Set up as linepulse asks for: a queue without bounds, kept on disk."""

    name = "mqtt"

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        (self.folder / "mosquitto.conf").write_text(
            f"""listener {self.port} 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location {self.folder}/
max_queued_messages 0
max_inflight_messages 1000
queue_qos0_messages true
sys_interval 1
log_dest stdout
"""
        )

    def command(self) -> list[str]:
        found = mosquitto()
        assert found is not None
        return [found, "-c", str(self.folder / "mosquitto.conf")]


def native_postgres(folder: Path) -> PostgresServer:
    return PostgresServer(folder, binaries=postgres_binaries(), durable=True)
