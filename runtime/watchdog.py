"""The watchdog: ends a worker whose consumer has died silently; its supervisor starts it again.

Consumers of Kafka stop without an error now and then: a fetch never returns, a join is never answered, a
heartbeat goes on while nothing is read. So the end of the log and the members of the group are asked for over
connections of our own, and compared with what the worker's stage has applied. A worker that waits for its
store is in order, and while Kafka itself is away no conclusion is drawn.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping

from faust.types import TP

from plant.catalogue import sentence
from runtime.batches import Stage
from runtime.group_status import ANSWER_S, GroupStatus, look
from runtime.kafka import require_topics
from runtime.narrator import Narrator
from runtime.settings import Settings, SettingsError
from runtime.stall import StallDetector, Stalled
from schemas.errors import Unavailable

LIMIT_S = 40.0
LOOK_EVERY_S = 5.0
DOUBT_S = 2.0  # from a check that found the topics wrong to the one that confirms it


class Watchdog:
    """Watches one worker as long as it runs.

    `signs` returns a value that changes while the worker is alive, although its positions do not move.
    """

    def __init__(
        self,
        stage: Stage,
        settings: Settings,
        narrator: Narrator,
        *,
        signs: Callable[[], Hashable] = lambda: None,
        limit_s: float | None = None,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._stage = stage
        self._settings = settings
        self._narrator = narrator
        self._signs = signs
        self._every_s = look_every_s
        # A group may wait for each member that it misses.
        patience = 2 * (settings.kafka_session_timeout_s + settings.kafka_rebalance_timeout_s)
        self._detector = StallDetector(limit_s or max(LIMIT_S, patience))
        self._partitions = [
            TP(topic, number) for topic in sorted(stage.sources) for number in range(settings.partitions)
        ]
        self._doubt = ""  # what a check found wrong with the topics; the next one confirms it
        self._ends: dict[TP, int] = {}
        self._questions: set[asyncio.Task[None]] = set()  # to the stage: where its partitions are
        self._wrong: str | None = None

    def wrong(self) -> str | None:
        """None while the worker is alive, else why it is taken for dead."""
        return self._wrong

    async def until_dead(self) -> Exception:
        """Check until the worker is certainly dead; return why it must end."""
        before = time.monotonic()
        while True:
            now = time.monotonic()
            # Time in which the process was frozen, or its machine asleep, is not counted.
            seconds = min(now - before, self._every_s + ANSWER_S)
            before = now
            try:
                await require_topics(self._settings, self._stage.sources)
                seen = await look(
                    self._settings.kafka_bootstrap_servers,
                    self._stage.app.conf.id,
                    self._stage.app.conf.broker_client_id,
                    self._partitions,
                )
                self._doubt = ""
                self._stage.show_lag(seen.ends)
                await self._check_log(seen)
                signs = (self._stage.waits, self._signs())
                dead = self._detector.after(seconds, seen, self._positions(seen), signs)
            except Unavailable:
                self._detector.reset()
            except SettingsError as error:
                if self._confirmed(str(error)):
                    self._wrong = str(error)
                    return error
            else:
                if dead is not None:
                    return self._report(dead)
            await asyncio.sleep(min(self._every_s, DOUBT_S) if self._doubt else self._every_s)

    def _positions(self, seen: GroupStatus) -> Mapping[TP, int | None]:
        """The worker's positions in its partitions, according to itself and to the group."""
        held = {tp: self._stage.position(tp) for tp in self._partitions}
        given = seen.given
        if given is None and seen.member:
            given = self._stage.app.consumer.assignment()
        return {tp: at for tp, at in held.items() if at is not None or tp in (given or ())}

    async def _check_log(self, seen: GroupStatus) -> None:
        """Let the stage ask its store again if a log ends earlier than before: it was made anew.

        A stage that is stuck does not answer; the watchdog must still be able to detect that.
        """
        for tp, end in seen.ends.items():
            if end < self._ends.get(tp, 0):
                self._questions.add(asyncio.create_task(self._stage.look_again(tp)))
            self._ends[tp] = end
        if self._questions:
            answered, self._questions = await asyncio.wait(self._questions, timeout=ANSWER_S)
            for question in answered:
                question.result()

    def _confirmed(self, doubt: str) -> bool:
        before, self._doubt = self._doubt, doubt
        return before == doubt

    def _report(self, dead: Stalled) -> Unavailable:
        self._narrator.say(dead.key, **dead.facts)
        self._wrong = sentence(self._narrator.lang, dead.key, **dead.facts)
        return Unavailable("the watchdog ended this worker; started again, it goes on from its store")
