"""Two bridges of one client id: the one that the broker threw out stands by while the other one lives.

Without this they would throw each other out for ever: at each CONNECT the broker ends the older connection,
and Mosquitto 2.0 does not even say why (MQTT 5 has a reason for it, 0x8E). What tells is the log: a run newer
than our own, whose records still come. A bridge that starts has no run yet, and takes the session at once.
"""

import asyncio
import time
from collections.abc import Callable

from bridge.kafka import Sign, read_signs
from bridge.log_owner import refuse_anothers
from runtime.settings import Settings
from schemas.raw import TICK_SECONDS

SILENCE_S = 3 * TICK_SECONDS
LOOK_S = 2.0


async def stand_by(settings: Settings, run: int, on_standby: Callable[[], None]) -> None:
    """Return when no bridge lives whose run is newer than `run`, at once if there is none.

    The other is dead when it has written nothing for SILENCE_S although Kafka answers: it ticks as long as it
    is connected. Silence is measured by arrival here, not by anyone's clock.

    Raises:
        Unavailable: Kafka does not answer, which tells nothing of the other bridge.
        OtherClientError: it has another client id, and so another session: this one has nothing to wait for.
    """
    signs = await _signs(settings, run)
    if not signs:
        return
    on_standby()
    heard = time.monotonic()
    while time.monotonic() - heard < SILENCE_S:
        await asyncio.sleep(LOOK_S)
        if (newer := await _signs(settings, run)) != signs:
            signs, heard = newer, time.monotonic()


async def _signs(settings: Settings, run: int) -> dict[int, Sign]:
    signs = await read_signs(settings, run)
    for sign in signs.values():
        refuse_anothers(settings, sign.client, sign.run)
    return signs
