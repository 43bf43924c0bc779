"""The machines of a campaign: draws by seed which of them sends next. No clock, no I/O."""

from random import Random

from chaos import poison
from chaos.lines import STAMPS, YEAR, Bare, Gateway, Jumping, Line, Same, WrongClock
from chaos.message import Message

POISON = 0.03  # of the messages
FLOOD = 0.8  # of the messages, during a flood
SHARE_OF_OTHERS = 0.25  # of the rest comes from lines that are not ordinary


class Machines:
    """The machines of `lines` ordinary lines, and of some that are not: `flood`, `gateway`, `bare`, `same`.

    The same seed draws the same messages; only their timestamps follow the caller's clock.
    `clock_scenarios`: lines whose clock is a year `ahead`, a year `behind`, and one that `jumps`.
    """

    def __init__(self, seed: int, lines: int, *, clock_scenarios: bool = True) -> None:
        self._rng = Random(seed)
        self._ordinary = [
            Line(f"ligne{i}", self._own(), STAMPS[i % len(STAMPS)], words=i % 2 == 0)
            for i in range(1, lines + 1)
        ]
        self._flood = Line("flood", self._own())
        self._gateway = Gateway("gateway", self._own())
        self._others = [self._flood, self._gateway, Bare("bare", self._own()), Same("same", self._own())]
        if clock_scenarios:
            self._others += [
                WrongClock("ahead", self._own(), YEAR),
                WrongClock("behind", self._own(), -YEAR),
                Jumping("jumps", self._own(), words=True),
            ]
        self._n = 0
        self._flooding = False
        self._phase_ends = self._rng.randrange(500, 2000)
        self._back_at: int | None = None  # the number at which the gateway's network is back

    def _own(self) -> Random:
        return Random(self._rng.getrandbits(64))

    def next(self, now: int) -> Message:
        """The next message, made at `now` (ms since 1970). Numbers count from 1."""
        self._n += 1
        self._phases()
        if self._rng.random() < POISON:
            return poison.draw(self._rng, self._n, self._rng.choice(self._ordinary).line_id)
        return self._line().next(self._n, now)

    def _phases(self) -> None:
        if self._n >= self._phase_ends:
            self._flooding = not self._flooding
            self._phase_ends = self._n + self._rng.randrange(500, 2000)
        if self._back_at is None and not self._gateway.waits() and self._rng.random() < 0.002:
            self._back_at = self._n + self._rng.randrange(500, 2000)
        if self._n == self._back_at:
            self._back_at = None
            self._gateway.offline_for(self._rng.randrange(20, 200))

    def _line(self) -> Line:
        if self._gateway.waits():
            return self._gateway
        if self._flooding and self._rng.random() < FLOOD:
            return self._flood
        group = self._others if self._rng.random() < SHARE_OF_OTHERS else self._ordinary
        line = self._rng.choice(group)
        if line is self._gateway and self._back_at is not None:
            return self._rng.choice(self._ordinary)
        return line
