"""The metrics of a message, and its line in the log."""

from types import SimpleNamespace

from bridge.clock import LogClock
from bridge.deduplicator import Deduplicator, Held
from bridge.flow import SHOWN_CHARACTERS, Flow, shown
from bridge.record import Delivery, digest_of
from runtime import metrics
from runtime.narrator import Narrator
from runtime.settings import Settings


async def test_the_brokers_mark_is_counted_whether_the_log_holds_the_message_or_not() -> None:
    """Two deliveries with DUP: one is recognised, and has been received before; the other is new."""
    topic, payload = "production/ligne1/data", b'{"count":1}'
    log = Deduplicator([Held(1, 1, 7, topic, digest_of(payload))], 10)
    flow = Flow(
        Settings(_env_file=None),
        Narrator("en"),
        LogClock(lambda _: None),
        SimpleNamespace(),  # type: ignore[arg-type]  # nothing is acknowledged
        SimpleNamespace(append=lambda *_: SimpleNamespace(done=False), send=lambda: None),  # type: ignore[arg-type]
        2,
        log,
        session_present=True,
    )
    counters = (metrics.MQTT_DUP, metrics.MQTT_RECOGNISED, metrics.MQTT_RECEIVED.labels("data"))
    before = [counter._value.get() for counter in counters]
    for mid in (7, 8):
        flow.deliver(Delivery(topic, payload, 1, retain=False, dup=True, mid=mid))
    counted = [counter._value.get() - was for counter, was in zip(counters, before, strict=True)]
    assert counted == [2, 1, 1]


def test_json_is_shown_as_it_is() -> None:
    """With its accents."""
    assert shown('{"reason": "panne étiqueteuse"}'.encode()) == '{"reason": "panne étiqueteuse"}'


def test_a_payload_never_leaves_its_line() -> None:
    """Line ends and terminal sequences become blanks, invalid bytes a mark, and a long payload is cut."""
    assert shown(b"a\r\nb\x1b[2Jc") == "a  b [2Jc"
    assert shown(b"\xff{}") == "\N{REPLACEMENT CHARACTER}{}"
    assert len(shown("é".encode() * 5_000)) == SHOWN_CHARACTERS
