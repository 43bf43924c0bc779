"""The embedded stack: nothing outlives it, nothing is written beside it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from linepulse.embedded import ports
from linepulse.embedded.folder import take_folder
from linepulse.embedded.kafka import EmbeddedKafka
from linepulse.embedded.mqtt_version_proxy import protocol_level
from linepulse.embedded.ports import answers, free_port, is_free
from linepulse.embedded.server import ServerError, children_of
from runtime.errors import UserError
from tests.commands import alive
from tests.eventually import wait_until

pytestmark = pytest.mark.slow

START_STACK = """
import sys
from pathlib import Path
from linepulse.embedded.stack import EmbeddedStack
stack = EmbeddedStack(Path(sys.argv[1]))
stack.start()
print("ready", flush=True)
sys.stdin.read()
"""


def test_killing_the_parent_ends_every_server(tmp_path: Path) -> None:
    """SIGKILL to the process that started them: no process is left, and no file outside of the folder."""
    parent = subprocess.Popen(
        [sys.executable, "-c", START_STACK, str(tmp_path / "stack")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        servers = children_of(parent.pid)
        assert len(servers) > 3  # PostgreSQL has children of its own
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in servers), "the servers' end", 10)
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack"]
    assert sorted(entry.name for entry in (tmp_path / "stack").iterdir()) == ["kafka", "mqtt", "postgres"]


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    """The end of the log is in the error, not only its name."""
    one = EmbeddedKafka(tmp_path / "one")
    one.start()
    try:
        other = EmbeddedKafka(tmp_path / "other", one.port)
        other.ready = lambda: False  # type: ignore[method-assign]  # the first one would answer for it
        with pytest.raises(ServerError, match=r"(?s)kafka ended.*in use"):
            other.start()
    finally:
        one.stop()
    assert not answers(one.port)


def test_a_taken_port_is_passed_by(tmp_path: Path) -> None:
    """The preferred port if it is free, another one if not."""
    wanted = free_port()
    assert free_port(wanted) == wanted
    server = EmbeddedKafka(tmp_path / "kafka", wanted)
    server.start()
    try:
        assert not is_free(wanted)
        assert free_port(wanted) != wanted
    finally:
        server.stop()


def test_a_port_is_given_to_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long its owner takes to listen there."""
    monkeypatch.setattr(ports, "HIGH", ports.LOW + 200)
    given = [free_port() for _ in range(60)]
    assert len(set(given)) == len(given)


CONNECT_3_1_1 = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"
CONNECT_5 = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01x"
CONNECT_3_1 = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01x"
LONG_CONNECT_5 = b"\x10\x80\x80\x01\x00\x04MQTT\x05"


@pytest.mark.parametrize(
    ("start", "level"),
    [
        (CONNECT_3_1_1, 4),
        (CONNECT_5, 5),
        (CONNECT_3_1, 3),
        (LONG_CONNECT_5, 5),
        (CONNECT_5[:8], None),
        (CONNECT_5[:3], None),
        (CONNECT_5[:1], None),
        (LONG_CONNECT_5[:2], None),
        (b"", None),
    ],
)
def test_the_doorman_reads_the_version(start: bytes, level: int | None) -> None:
    """However few bytes have arrived: the version, or that more are needed."""
    assert protocol_level(start) == level


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\n", b"\x30\x00", b"\x10\xff\xff\xff\xff", b"\x10\x20\xff\xff"]
)
def test_the_doorman_turns_others_away(start: bytes) -> None:
    """A client without CONNECT gets no connection."""
    with pytest.raises(ValueError, match=r"CONNECT|length|MQTT"):
        protocol_level(start)


def test_a_demo_folder_is_emptied_and_held(tmp_path: Path) -> None:
    """Files of an earlier demo are deleted; a second demo at the same time is refused."""
    folder = tmp_path / "demo"
    take_folder(folder).close()
    (folder / "old").mkdir()
    (folder / "old.log").touch()
    with take_folder(folder):
        assert [entry.name for entry in folder.iterdir()] == ["linepulse-demo"]
        with pytest.raises(UserError, match="another demo runs there"):
            take_folder(folder)
