"""One connection, at a real broker."""

import asyncio
from collections.abc import Callable

import pytest

from bridge.connection import KEEPALIVE_S as USUAL_S
from bridge.connection import Connection
from bridge.record import Delivery
from bridge.role import FENCED_S
from chaos.proxy import Link
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from schemas.errors import Unavailable
from tests.bridge.rig import Machine
from tests.eventually import eventually
from tests.services import Services

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
KEEPALIVE_S = 1


def connection(settings: Settings, on_delivery: Callable[[Delivery], None]) -> Connection:
    return Connection(settings, on_delivery, lambda: None, lambda: None, keepalive_s=KEEPALIVE_S)


async def test_a_pause_outlasts_the_keepalive(own_settings: SettingsFor, lines: list[str]) -> None:
    """While reading is paused, the broker still hears from the bridge, and keeps what comes."""
    settings, got = own_settings(), list[bytes]()
    ours = connection(settings, lambda delivery: got.append(delivery.payload))
    await ours.open()
    await ours.subscribe()
    ours.pause()
    with Machine(settings) as machine:
        machine.deliver(f"production/{lines[0]}/data", [b"1", b"2"])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(ours.lost), 4 * KEEPALIVE_S)
    assert got == []
    ours.resume()

    async def both() -> bool:
        return got == [b"1", b"2"]

    await eventually(both, "both messages")
    await ours.leave()


async def test_an_answer_that_waited_out_a_pause_counts(own_settings: SettingsFor) -> None:
    """A ping was sent just before the pause, and the broker answered it: it is not taken for dead."""
    ours = connection(own_settings(), print)
    await ours.open()
    await ours.subscribe()
    ours._client._send_pingreq()
    ours._write()
    ours.pause()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ours.lost), 3 * KEEPALIVE_S)
        ours.resume()
    await ours.leave()


async def test_a_connection_that_passes_nothing_any_more_is_given_up(own_settings: SettingsFor) -> None:
    """Such as after a firewall dropped it silently. With the default keepalive that is within a minute."""
    settings, port = own_settings(), free_port()
    link = Link(port, settings.mqtt.port or 0)
    await link.open()
    ours = connection(settings.model_copy(update={"mqtt_broker_url": f"mqtt://127.0.0.1:{port}"}), print)
    await ours.open()
    await ours.subscribe()
    await link.become("drop")
    await asyncio.wait_for(asyncio.shield(ours.lost), 2 * KEEPALIVE_S + 3)
    ours.drop()
    await link.become("refuse")
    assert 2 * USUAL_S + FENCED_S < 60


async def test_what_is_not_acknowledged_comes_again(
    own_settings: SettingsFor, lines: list[str], services: Services
) -> None:
    """The session is kept: of three deliveries the first was acknowledged, the others are sent again."""
    settings, got = own_settings(), list[Delivery]()
    first = connection(settings, got.append)
    assert not await first.open()
    await first.subscribe()
    with Machine(settings) as machine:
        machine.deliver(f"production/{lines[0]}/data", [b"1", b"2", b"3"])

    async def three() -> bool:
        return len(got) == 3

    await eventually(three, "three deliveries")
    first.ack([got[0].mid])
    await first.leave()
    again = list[Delivery]()
    second = connection(settings, again.append)
    assert await second.open()
    await second.subscribe()

    async def two() -> bool:
        return [delivery.payload for delivery in again] == [b"2", b"3"]

    await eventually(two, "the other two")
    if services.kind != "embedded":  # which numbers them anew
        assert [delivery.mid for delivery in again] == [delivery.mid for delivery in got[1:]]
    await second.leave()


async def test_nobody_there_is_told(settings_for: SettingsFor) -> None:
    """The sentence names the broker, without its password."""
    settings = settings_for(mqtt_broker_url="mqtt://user:secret@127.0.0.1:9", topics=False)
    with pytest.raises(Unavailable, match=r"mqtt://user:\*\*\*@127.0.0.1:9.*refused"):
        await connection(settings, lambda _: None).open()
