"""Two bridges of one client id: the one that the broker disconnected stands by while the other one is alive.

Without this they would disconnect each other for ever: at each CONNECT the broker closes the older
connection, and Mosquitto 2.0 gives no reason (MQTT 5 has one for it, 0x8E). The log shows what happened: it
holds a run newer than our own, whose records still arrive. A bridge that starts has no run yet, and connects
at once.
"""

import asyncio
import time
from collections.abc import Callable

from bridge.kafka import SignOfLife, read_signs_of_life
from bridge.log_owner import require_own_log
from runtime.settings import Settings
from schemas.raw import TICK_SECONDS

SILENCE_S = 3 * TICK_SECONDS
POLL_S = 2.0


async def stand_by(settings: Settings, run: int, on_standby: Callable[[], None]) -> None:
    """Return when no bridge with a run newer than `run` is alive; at once if there is none.

    The other bridge is dead when it has written nothing for SILENCE_S although Kafka answers: it writes ticks
    as long as it is connected. The silence is measured by when we see its records, not by their timestamps.

    Raises:
        Unavailable: Kafka does not answer, so nothing is known about the other bridge.
        OtherClientError: it has another client id, and so another session: there is nothing to wait for.
    """
    signs = await _signs(settings, run)
    if not signs:
        return
    on_standby()
    last_seen = time.monotonic()
    while time.monotonic() - last_seen < SILENCE_S:
        await asyncio.sleep(POLL_S)
        if (newer := await _signs(settings, run)) != signs:
            signs, last_seen = newer, time.monotonic()


async def _signs(settings: Settings, run: int) -> dict[int, SignOfLife]:
    signs = await read_signs_of_life(settings, run)
    for sign in signs.values():
        require_own_log(settings, sign.client, sign.run)
    return signs
