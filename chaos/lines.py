"""Production lines that send in different ways: the next message of a line's machine. No clock, no I/O."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chaos.message import Kind, Message
from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of

PARIS = ZoneInfo("Europe/Paris")
YEAR = 365 * DAY
REASONS = ("bourrage", "changement de format", "panne moteur", "manque de bouchons", "nettoyage")
WORDS = (b"running", b"stopped", b'"stopped"', b"online", b"offline", b"Running\n")
STOPPED = ('"running":false', '"status":"stopped"', '"running":false,"status":"stopped"')
JUMPS = (0, 0, 0, 30 * SECOND, -30 * SECOND, 50 * SECOND, -3 * HOUR, -2 * DAY, -8 * DAY, DAY)


class Form(NamedTuple):
    """How a line behaves for a while: the fields of its data messages."""

    pieces: int
    rate: float
    defects: int
    running: bool
    temperature: float


WELL = Form(2, 115.5, 0, True, 24.5)
FORMS = (
    *(WELL,) * 4,
    Form(2, 70.0, 0, True, 24.5),  # slow
    Form(2, 115.5, 1, True, 24.5),  # many defects
    Form(2, 115.5, 0, True, 31.5),  # hot
    Form(9, 115.5, 0, True, 25.0),  # counts more than its reported rate
    Form(0, 0.0, 0, False, 23.0),  # stopped
    Form(0, 0.0, 0, False, 23.0),
)


def _iso(at: int) -> str:
    return f'"{text_of(at)}"'


def _local(at: int) -> str:
    """The plant's time, without an offset."""
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(PARIS).replace(tzinfo=None)
    return f'"{moment.isoformat(timespec="milliseconds")}"'


STAMPS: tuple[Callable[[int], str], ...] = (_iso, _iso, str, lambda at: f"{at / 1000:.3f}", _local)


class Line:
    """An ordinary line. While its form lasts, its payloads differ in number and time only.

    `words`: now and then it sends a bare word as its status, without timestamp. That counts at its arrival,
    so how long such a line was stopped follows from the rules only.
    """

    believed = True  # its timestamps are those of a right clock
    counts = True  # none of its messages is refused

    def __init__(self, line_id: str, rng: Random, stamp: Callable[[int], str] = _iso, *, words: bool = False):
        self.line_id = line_id
        self._rng = rng
        self._stamp = stamp
        self._words = words
        self._form = WELL
        self._next: deque[Callable[[int, int], Message]] = deque()

    def clock(self, now: int) -> int:
        """The time by the machine's clock."""
        return now

    def next(self, n: int, now: int) -> Message:
        """The line's next message, with number `n`, made at `now` (ms)."""
        if not self._next:
            self._decide()
        return self._next.popleft()(n, self.clock(now))

    def _decide(self) -> None:
        chance = self._rng.random()
        if chance < 0.03:
            self._change_form(self._rng.choice(FORMS))
        elif chance < 0.04:
            self._next.append(self._order)
        elif chance < 0.045 and self._words:
            self._next.append(self._word)
        else:
            self._next.append(self.data)

    def _change_form(self, form: Form) -> None:
        """Change the form: the status may be sent before the data that shows it, after it, or not at all."""
        changed, self._form = form.running != self._form.running, form
        steps: list[Callable[[int, int], Message]] = [self.data]
        if changed:
            steps.insert(self._rng.choice((0, 0, 1)), self._status)
        self._next.extend(steps if self._rng.random() < 0.9 else [self.data])

    def data(self, n: int, at: int) -> Message:
        """A data message of the line's form. `pressure` holds the number."""
        pieces, rate, defects, running, temperature = self._form
        payload = (
            f'{{"count":{pieces},"targetRate":120,"rate":{rate},"defects":{defects},'
            f'"running":{"true" if running else "false"},"temperature":{temperature},"pressure":{n}'
            f"{self._time(at)}}}"
        )
        return self._message(n, "data", payload, at, pieces if self.counts else None, running)

    def _status(self, n: int, at: int) -> Message:
        if self._form.running:
            payload = f'{{"n":{n},"status":"running"{self._time(at)}}}'
        else:
            reason = self._rng.choice(REASONS)
            stopped = self._rng.choice(STOPPED)
            payload = f'{{"n":{n},{stopped},"reason":"{reason}"{self._time(at)}}}'
        return self._message(n, "status", payload, at, running=self._form.running)

    def _word(self, n: int, _at: int) -> Message:
        word = self._rng.choice(WORDS)
        return Message(n, self.line_id, "status", f"production/{self.line_id}/status", word, numbered=False)

    def _order(self, n: int, at: int) -> Message:
        """Planned orders with few numbers: numbers and requests repeat, and not every end finds its order."""
        rng = self._rng
        number = f'"orderNumber":"PO-{rng.randrange(40)}",' if rng.random() < 0.8 else ""
        action = rng.choice(("add", "add", "add", "add", "close", "cancel"))
        if action != "add":
            return self._message(n, "order", f'{{"n":{n},{number}"action":"{action}"{self._time(at)}}}', at)
        request = f'"requestId":"R-{rng.randrange(30)}",' if rng.random() < 0.5 else ""
        priority = rng.choice(("low", "medium", "high", "urgent"))
        return self._message(
            n,
            "order",
            f'{{"n":{n},{number}{request}"productType":"Cola 33cl","quantity":{rng.randrange(20, 400)},'
            f'"priority":"{priority}"{self._time(at)}}}',
            at,
        )

    def _message(
        self,
        n: int,
        kind: Kind,
        payload: str,
        at: int,
        pieces: int | None = 0,
        running: bool | None = None,
    ) -> Message:
        topic = f"production/{self.line_id}/{kind}"
        believed = at if self.believed else None
        return Message(
            n, self.line_id, kind, topic, payload.encode(), at=believed, pieces=pieces, running=running
        )

    def _time(self, at: int) -> str:
        return f',"timestamp":{self._stamp(at)}'


class WrongClock(Line):
    """A line whose clock is off by a constant: its messages count when they arrive.

    If it is behind, its messages are refused until it is known to be behind by a constant.
    """

    believed = False

    def __init__(self, line_id: str, rng: Random, by: int) -> None:
        super().__init__(line_id, rng, words=True)
        self._by = by
        self.counts = by > 0

    def clock(self, now: int) -> int:
        return now + self._by


class Jumping(Line):
    """A line whose clock jumps now and then: which of its timestamps are believed depends on the rules."""

    believed = counts = False
    _by = 0

    def clock(self, now: int) -> int:
        if self._rng.random() < 0.02:
            self._by = self._rng.choice(JUMPS) + self._rng.randrange(-MINUTE, MINUTE)
        return now + self._by


class Gateway(Line):
    """A line behind a gateway that loses its network, and then sends its backlog in a burst."""

    _since: int | None = None
    _backlog: int = 0  # messages of the backlog still to be sent
    _step: int = 0

    def waits(self) -> int:
        """How many messages of its backlog the gateway still has to send."""
        return self._backlog

    def offline_for(self, messages: int) -> None:
        """The network is back; the backlog has so many messages."""
        self._backlog = messages
        self._step = 0

    def clock(self, now: int) -> int:
        if self._since is None or not self._backlog:
            self._since = now
            return now
        if not self._step:  # evenly over the time without network
            self._step = max(1, (now - self._since) // (self._backlog + 1))
        self._backlog -= 1
        self._since += self._step
        return self._since


class Bare(Line):
    """A machine that sends the required field only: no time, no rate, no running state."""

    def _decide(self) -> None:
        self._next.append(self._count)

    def _count(self, n: int, _at: int) -> Message:
        pieces = self._rng.choice((0, 1, 1, 1))
        topic, payload = f"production/{self.line_id}/data", b'{"count":%d,"pressure":%d}' % (pieces, n)
        return Message(n, self.line_id, "data", topic, payload, pieces=pieces)


class Same(Line):
    """A machine that sends the same bytes again and again; each message counts."""

    PAYLOAD = b'{"count":1,"running":true}'

    def next(self, n: int, _now: int) -> Message:
        topic = f"production/{self.line_id}/data"
        return Message(n, self.line_id, "data", topic, self.PAYLOAD, numbered=False, pieces=1, running=True)
