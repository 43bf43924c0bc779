"""Compares the losses that the pipeline reports with what the campaign deleted."""

import psycopg

from chaos.tape import Tape
from runtime.settings import Settings

REASONS = ("expired", "log_lost")
"""The reasons of dead letters in which a stage reports a loss: no record of the log is behind them."""

LOST = 'SELECT "topic", "partition", "offset", "reason", "detail" FROM "DeadLetter" WHERE "reason" = ANY(%s)'


async def unreported(settings: Settings, tape: Tape) -> list[str]:
    """A sentence for each loss without a dead letter, and for each dead letter about a loss that was none."""
    taken = {
        (tape.topic, number, lost.start, "expired"): lost.stop - 1
        for number in tape.partitions
        for lost in tape.left_out(number)
    }
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        found = await connection.execute(LOST, [list(REASONS)])
        reported = {(*where, reason): detail for *where, reason, detail in await found.fetchall()}
    wrong = [
        f"no dead letter reports that {topic}[{number}] {first} to {last} were deleted"
        for (topic, number, first, _), last in taken.items()
        if str(last) not in reported.get((topic, number, first, "expired"), "").split()
    ]
    wrong += [
        f"a dead letter ({reason}) of {topic}[{number}] reports a loss at {first} that was none: {detail}"
        for (topic, number, first, reason), detail in reported.items()
        if (topic, number, first, reason) not in taken
    ]
    return wrong
