"""`mqtts://` with user and password, at Mosquitto."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from linepulse.embedded.server import Server
from runtime.settings import Settings
from tests.bridge.conftest import Bridges
from tests.bridge.rig import Log, Machine, by_line
from tests.services.native import mosquitto

USER, PASSWORD = "ligne@usine", "p@ss:mot/de passe%é"
SettingsFor = Callable[..., Settings]


class SecureMosquitto(Server):
    """TLS only, with a certificate for `localhost` signed by an authority of its own, and one user."""

    name = "mqtts"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def url(self) -> str:
        return f"mqtts://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@localhost:{self.port}"

    def prepare(self) -> None:
        self._openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority"
        )
        self._openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost")
        (self.folder / "names").write_text("subjectAltName=DNS:localhost")
        self._openssl(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
            " -extfile names -out cert.pem"
        )
        subprocess.run(
            ["mosquitto_passwd", "-c", "-b", str(self.folder / "users"), USER, PASSWORD],
            check=True,
            capture_output=True,
        )
        (self.folder / "mosquitto.conf").write_text(
            f"""listener {self.port} 127.0.0.1
cafile {self.ca}
certfile {self.folder}/cert.pem
keyfile {self.folder}/key.pem
password_file {self.folder}/users
allow_anonymous false
user root
max_queued_messages 0
max_inflight_messages 1000
"""
        )

    def command(self) -> list[str]:
        return [str(mosquitto()), "-c", str(self.folder / "mosquitto.conf")]

    def _openssl(self, arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureMosquitto]:
    if mosquitto() is None:
        pytest.skip("needs Mosquitto")
    broker = SecureMosquitto(tmp_path / "secure")
    broker.start()
    yield broker
    broker.kill()


async def test_messages_come_through_tls(
    secure: SecureMosquitto, settings_for: SettingsFor, start: Bridges, lines: list[str]
) -> None:
    """Many small ones and some larger than a TLS record, in order, with the password from the URL."""
    settings = settings_for(mqtt=secure, mqtt_ca_file=secure.ca)
    sent = [b"%d" % n for n in range(2_000)] + [bytes([n]) * 50_000 for n in range(10)]
    bridge = start(settings).listening()
    with Machine(settings) as machine:
        machine.deliver(f"production/{lines[0]}/data", sent)
    async with Log(settings) as log:
        records = await log.holds(2_010, lines[0])
    assert by_line(records)[lines[0]] == sent
    assert bridge.terminate() == 0
    assert bridge.errors() == ""
    assert PASSWORD not in str(bridge.lines)
    assert quote(PASSWORD, safe="") not in str(bridge.lines)


def test_an_unknown_authority_is_refused(
    secure: SecureMosquitto, settings_for: SettingsFor, start: Bridges
) -> None:
    """Without the authority's file the bridge does not send its password, and says why."""
    bridge = start(settings_for(mqtt=secure)).wait_for("bridge.again")
    assert "certificate verify failed" in bridge.last_facts("bridge.again")["why"]


def test_a_wrong_password_is_told(secure: SecureMosquitto, settings_for: SettingsFor, start: Bridges) -> None:
    """The broker's refusal is logged, without the password."""
    url = f"mqtts://{quote(USER, safe='')}:wrongword@localhost:{secure.port}"
    settings = settings_for(mqtt=secure, mqtt_ca_file=secure.ca, mqtt_broker_url=url)
    bridge = start(settings).wait_for("bridge.again")
    assert "Not authorized" in bridge.last_facts("bridge.again")["why"]
    assert "wrongword" not in str(bridge.lines)
