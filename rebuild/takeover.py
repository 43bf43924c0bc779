"""The take-over: a rebuilt generation becomes the live one, and its workers continue where it was read to.

The steps, in this order: the changelog is seeded, the tables are swapped, the rules are recorded in the log.
If it is interrupted before the swap, the old generation is whole and live, and the next rebuild seeds anew.
If it is interrupted after the swap, the new generation is live, but the record in `production.rules` is
missing: workers continue with the old generation, and sinks ignore their events. `linepulse setup` writes the
record, and so does the next rebuild (`finish`). Nothing is lost meanwhile: the new generation's workers begin
at E, whenever they begin.
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

CLOSE_S = 1.0  # a round of this length leaves about a second's worth of the log
GAIN = 0.7  # if a round takes more than this share of the previous one's time, another gains too little
MOST_ROUNDS = 8
DOUBT_S = 60.0  # how long to ask PostgreSQL whether a commit took place, and Kafka to take the rules
AGAIN_S = 1.0


def narrow_gap(catch_up: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
    """Catch up until about a second's worth of the log is left, or another round gains too little.

    Args:
        catch_up: reads up to the log's current end.
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
    """Make the rebuilt generation the live one, everywhere at once, while workers and readers keep running.

    Args:
        step: called with `seeding`, `seeded`, `moved` (not committed yet), `swapped` and `recorded`.
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
    """Complete a take-over that was interrupted, if there was one; return the live generation.

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
    """Swap; if the connection breaks in the commit, ask PostgreSQL whether it took place."""
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
    """Record the rules in the log, as soon as Kafka takes them."""
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
