"""The take-over: a rebuilt generation becomes the live one, and its workers go on from where it was read to.

In this order: the changelog is seeded, the tables are swapped, the log is notified. Cut off before the swap,
the old generation is whole and live, and the next rebuild seeds anew. Cut off after it, the new one is: what
is missing is the record in `production.rules`, without which workers go on as the old generation and sinks
ignore them; `linepulse setup` writes it, and so does whatever rebuilds next (`finish`). Nothing is lost
meanwhile: the new generation's workers begin at E, whenever they begin.
"""

import asyncio
import math
import time
from collections.abc import Callable

from rebuild.new_generation import NewGeneration
from rebuild.seed import seed
from rebuild.swap import HINT, Swapped, live_generation, swap
from runtime.errors import UserError
from runtime.narrator import Narrator
from runtime.rules_in_force import settle_rules
from runtime.settings import Settings
from runtime.topics import TopicsError
from schemas.errors import Unavailable

CLOSE_S = 1.0  # what comes to the log while a round of this length lasts is about as much log
GAIN = 0.7  # a round that takes more of the time of the one before brings the end no nearer
MOST_ROUNDS = 8
DOUBT_S = 60.0  # how long PostgreSQL is asked whether a commit got through, and Kafka to take the rules
AGAIN_S = 1.0


def close_in(catch_up: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
    """Read on until what is left of the log is a second's worth, or as little as it gets.

    Args:
        catch_up: reads on to where the log ends now.
    """
    before = math.inf
    for _ in range(MOST_ROUNDS):
        began = clock()
        catch_up()
        took = clock() - began
        if took < CLOSE_S or took > GAIN * before:
            return
        before = took


async def take_over(
    settings: Settings,
    rebuilt: NewGeneration,
    narrator: Narrator,
    step: Callable[[str], None] = lambda _name: None,
) -> Swapped:
    """Make the rebuilt generation the live one, everywhere at once, while workers and readers go on.

    Args:
        step: hears `seeding`, `seeded`, `moved` (not committed yet), `swapped` and `recorded`.
    Raises:
        UserError: it could not be done; the text says what is live, and what to do.
        Unavailable: Kafka or PostgreSQL does not answer; the old generation is live.
    """
    step("seeding")
    try:
        await seed(settings, rebuilt)
    except TopicsError as error:
        raise UserError(f"{error}; {HINT}") from error
    step("seeded")
    swapped = await _swap(settings, rebuilt, narrator, step)
    narrator.say("takeover.swapped", generation=rebuilt.generation, old=swapped.old)
    for view in swapped.left_behind:
        narrator.say("takeover.left_behind", view=view)
    step("swapped")
    try:
        await _record(settings, rebuilt)
    except asyncio.CancelledError:
        narrator.say("takeover.unrecorded", generation=rebuilt.generation, topic=settings.topics.rules)
        raise
    narrator.say("takeover.recorded", generation=rebuilt.generation, topic=settings.topics.rules)
    step("recorded")
    return swapped


async def finish(settings: Settings, plant: str) -> int:
    """Do what a take-over that was cut off left undone; the generation that is live.

    Args:
        plant: the rules, where there are none at all yet.
    Raises:
        UserError: the log and the database belong to different installations, or Kafka refuses.
        Unavailable: Kafka does not answer.
    """
    force, _ = await settle_rules(settings, plant)
    return force.generation


async def _swap(
    settings: Settings, rebuilt: NewGeneration, narrator: Narrator, step: Callable[[str], None]
) -> Swapped:
    """Swap; if the connection breaks in the commit, ask what became of it."""
    before = await live_generation(settings)
    try:
        return await swap(settings, rebuilt, lambda who: narrator.say("takeover.held", who=who), step)
    except Unavailable as why:
        deadline = time.monotonic() + DOUBT_S
        while True:
            try:
                live = await live_generation(settings)
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    raise Unavailable(f"{why}; run linepulse rebuild again when it answers") from why
                await asyncio.sleep(AGAIN_S)
        if live != rebuilt.generation or before is None:
            raise Unavailable(f"{why}; {HINT}") from why
        return Swapped(before, ())


async def _record(settings: Settings, rebuilt: NewGeneration) -> None:
    """Tell the log, as soon as Kafka takes it."""
    deadline = time.monotonic() + DOUBT_S
    while True:
        try:
            await settle_rules(settings, rebuilt.plant_text)
        except (Unavailable, UserError) as why:
            if time.monotonic() > deadline:
                raise UserError(
                    f"generation {rebuilt.generation} is live in PostgreSQL, and {settings.topics.rules} does"
                    f" not say so yet: its rows stand still until it does; run linepulse setup ({why})"
                ) from why
            await asyncio.sleep(AGAIN_S)
        else:
            return
