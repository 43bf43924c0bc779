"""`linepulse simulate`: a plant of machines that publish at QoS 1, with timestamps."""

import signal
import sys
import time
from collections.abc import Iterable
from threading import Event
from typing import Annotated

import orjson
import typer

from linepulse.simulator import schedule
from linepulse.simulator.ledger import Ledger, Receipt, Sent
from linepulse.simulator.plant import Line, Message
from linepulse.simulator.publisher import Publisher
from runtime.narrator import Narrator
from runtime.settings import Settings, without_password

HISTORY_RATE = 1500  # messages of the history a second


def simulate(
    lines: Annotated[int, typer.Option(min=1, max=1000, help="Lines, ligne1 to ligneN.")] = 3,
    rate: Annotated[float, typer.Option(min=0.01, max=10_000, help="Messages a second of each line.")] = 1.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; without it, until Ctrl-C.")] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1, help="Exactly so many data messages of each line, as fast as the broker takes them."
        ),
    ] = None,
    history: Annotated[
        str | None, typer.Option(help="Begin with a past of this length: 90s, 30m, 8h, 2d.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same plant.")] = 1,
) -> None:
    """Publish as the machines of a bottling plant, and print as JSON what was sent.

    Example: linepulse simulate --lines 3 --rate 1 --seconds 60
    """
    if count is not None and (history is not None or seconds is not None):
        raise typer.BadParameter("--count goes alone: without --history and --seconds")
    try:
        past_ms = schedule.milliseconds(history) if history else 0
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--history") from None

    now = _now_ms()
    span = schedule.span_of(count) if count is not None else past_ms
    machines = [Line(f"ligne{k}", seed, now - span) for k in range(1, lines + 1)]

    settings = Settings.read()
    narrator = Narrator(settings.lang, settings.log, "simulator", out=sys.stderr)
    stop = _stop_on_signals()
    ledger = Ledger({line.line_id: Sent() for line in machines})
    publisher = Publisher(settings.mqtt, ledger.add, stop, narrator)
    publisher.connect()
    narrator.say("simulator.started", lines=lines, url=without_password(settings.mqtt_broker_url))
    if count is not None:
        _publish(schedule.evenly(machines, now - span, now, count), publisher, stop)
    else:
        if past_ms:
            _publish_history(schedule.past(machines, now - span, now), publisher, stop)
        _publish(schedule.live(machines, now, rate, seconds), publisher, stop)
    publisher.close()
    print(orjson.dumps(ledger.as_json()).decode(), flush=True)
    if publisher.in_flight:
        narrator.say("simulator.doubtful", count=publisher.in_flight)
        raise typer.Exit(1)


def _publish(dues: Iterable[schedule.Due], publisher: Publisher, stop: Event) -> None:
    """Publish each line's messages when they are due; those that are due already go out at once."""
    now = _now_ms()
    for due, line in dues:
        while due > now and not stop.is_set():
            publisher.pump(min((due - now) / 1000, 0.2))
            now = _now_ms()
        if stop.is_set():
            return
        for message in line.advance(due):
            _send(publisher, line, message)


def _publish_history(dues: Iterable[schedule.Due], publisher: Publisher, stop: Event) -> None:
    """Publish the history at a rate that a bridge can follow, each status apart from the data around it.

    MQTT guarantees order within a topic only: a broker with a backlog for the bridge may deliver a line's
    data first and its statuses afterwards, too late to give the stops their reasons.
    """
    began, sent = time.monotonic(), 0
    for due, line in dues:
        for message in line.advance(due):
            if stop.is_set():
                return
            if message.kind == "status":
                publisher.settle()
            _send(publisher, line, message)
            if message.kind == "status":
                publisher.settle()
            sent += 1
        while (ahead := sent / HISTORY_RATE - (time.monotonic() - began)) > 0 and not stop.is_set():
            publisher.pump(ahead)


def _send(publisher: Publisher, line: Line, message: Message) -> None:
    topic = f"production/{line.line_id}/{message.kind}"
    publisher.publish(topic, orjson.dumps(message.payload), Receipt.of(line.line_id, message))


def _stop_on_signals() -> Event:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends the process."""
    stop = Event()

    def ask(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    return stop


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
