"""The watchdog: a worker whose consumer has died silently ends, and its supervisor starts it again.

Consumers of Kafka stop without an error now and then: a fetch that never returns, a join that nobody
answers, a heartbeat that goes on while nothing is read. So how far the log has come, and who is in the
group, is asked here over connections of our own; how far the worker has come is what its stage has applied.
A worker that waits for its store, and knows it, is well; while Kafka itself is away nothing is judged.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping

from faust.types import TP

from plant.catalogue import tell
from runtime.batches import Stage
from runtime.group_status import ANSWER_S, GroupStatus, look
from runtime.judge import Dead, Judge
from runtime.kafka import require_topics
from runtime.narrator import Narrator
from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable

LIMIT_S = 40.0
LOOK_EVERY_S = 5.0
DOUBT_S = 2.0  # from a look that found the topics wrong to the one that makes it certain


class Watchdog:
    """Judges one worker as long as it runs.

    `signs` changes with whatever shows that the worker lives although its positions stand.
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
        # A group may take its time over each member that it misses.
        patience = 2 * (settings.kafka_session_timeout_s + settings.kafka_rebalance_timeout_s)
        self._judge = Judge(limit_s or max(LIMIT_S, patience))
        self._partitions = [
            TP(topic, number) for topic in sorted(stage.sources) for number in range(settings.partitions)
        ]
        self._doubt = ""  # what a look found wrong with the topics; the next one makes it certain
        self._ends: dict[TP, int] = {}
        self._questions: set[asyncio.Task[None]] = set()  # to the stage, where it stands
        self._wrong: str | None = None

    def wrong(self) -> str | None:
        """None while the worker lives, else why it is held dead."""
        return self._wrong

    async def until_dead(self) -> Exception:
        """Look again and again; why the worker must end, once that is sure and said."""
        before = time.monotonic()
        while True:
            now = time.monotonic()
            # Frozen and thawed, or on a machine that was asleep, the worker gets its chance like any other.
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
                await self._look_at_log(seen)
                signs = (self._stage.waits, self._signs())
                dead = self._judge.after(seconds, seen, self._positions(seen), signs)
            except Unavailable:
                self._judge.begin_again()
            except SettingsError as error:
                if self._certain(str(error)):
                    self._wrong = str(error)
                    return error
            else:
                if dead is not None:
                    return self._say(dead)
            await asyncio.sleep(min(self._every_s, DOUBT_S) if self._doubt else self._every_s)

    def _positions(self, seen: GroupStatus) -> Mapping[TP, int | None]:
        """Where the worker stands in what is its own, by its own account and by the group's."""
        held = {tp: self._stage.position(tp) for tp in self._partitions}
        given = seen.given
        if given is None and seen.member:
            given = self._stage.app.consumer.assignment()
        return {tp: at for tp, at in held.items() if at is not None or tp in (given or ())}

    async def _look_at_log(self, seen: GroupStatus) -> None:
        """A log that ends before where it ended once was made anew, maybe behind the worker's back.

        A stage that is stuck does not answer; that must not keep the watchdog from seeing it.
        """
        for tp, end in seen.ends.items():
            if end < self._ends.get(tp, 0):
                self._questions.add(asyncio.create_task(self._stage.look_again(tp)))
            self._ends[tp] = end
        if self._questions:
            answered, self._questions = await asyncio.wait(self._questions, timeout=ANSWER_S)
            for question in answered:
                question.result()

    def _certain(self, doubt: str) -> bool:
        before, self._doubt = self._doubt, doubt
        return before == doubt

    def _say(self, dead: Dead) -> Unavailable:
        self._narrator.say(dead.key, **dead.facts)
        self._wrong = tell(self._narrator.lang, dead.key, **dead.facts)
        return Unavailable("the watchdog ended this worker; started again, it goes on from its store")
