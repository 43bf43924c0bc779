"""The part of `linepulse doctor` about the end of the log: time that is ahead, and void records."""

import time

from bridge.ahead import Ahead, first_ahead
from bridge.clock import JUMP_MS
from bridge.declared_time import declared_time
from bridge.examine import Examined, examine
from bridge.outage import in_words
from runtime.partitions import partitions_changed
from runtime.settings import Settings
from schemas.instant import text_of


async def check_log(settings: Settings) -> tuple[str, str | None]:
    """The name of the part, and what is wrong with it; None: nothing.

    Raises:
        Unavailable: Kafka does not answer.
    """
    found = await examine(settings, declared_time(settings)[0])
    now_ms = time.time() * 1000
    ahead = found.received_at - now_ms > JUMP_MS
    first = await first_ahead(settings, int(now_ms) + JUMP_MS) if ahead else None
    return verdict(settings, found, now_ms, first)


def verdict(
    settings: Settings, found: Examined, now_ms: float, first: Ahead | None = None
) -> tuple[str, str | None]:
    """As `check_log`, for an examination at `now_ms`; `first`: where the log began to be ahead."""
    part = f"log {settings.topics.raw}"
    if found.misplaced:
        return part, str(partitions_changed(settings, found.misplaced, settings.partitions))
    ahead_ms = found.received_at - now_ms
    if ahead_ms > JUMP_MS:
        return part, (
            f"its time ({text_of(found.received_at)}; its last run is {found.run}) is"
            f" {in_words(ahead_ms / 1000)} ahead of this computer's clock{_since(first)}. If this"
            " one is wrong, set it right (NTP); if a bridge's was, set that right: until both agree, what is"
            " received gets the log's time, which goes at nine tenths of real speed."
            ' docs/reliability.md, "A log that is ahead", says how to mend it'
        )
    if found.unaware:
        run, client = found.unaware
        return part, (
            f"{found.void} of its last records are void: a bridge{_named(client)} (run {run}) went on writing"
            f" when another had begun run {found.run}{_named(found.client)}, and acknowledged what nobody"
            " reads. It is of an older release: end it, and let one bridge serve this log"
        )
    whose = f", of the bridge with client id {found.client!r}" if found.client else ""
    void = f"; {found.void} records of replaced bridges are void, and came again" if found.void else ""
    return (f"{part}: run {found.run}{whose}{void}" if found.run else f"{part}: empty"), None


def _since(first: Ahead | None) -> str:
    if first is None:
        return ""
    before = f", the last before it of {text_of(first.before)}" if first.before else ""
    runs = "".join(f"; run {run} began at {text_of(at)}" for run, at in first.later)
    return f": the first such record is of run {first.run}, {text_of(first.received_at)}{before}{runs}"


def _named(client: str) -> str:
    return f" with client id {client!r}" if client else ""
