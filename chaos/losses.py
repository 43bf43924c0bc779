"""What the pipeline says it lost, beside what was taken from it."""

import psycopg

from chaos.tape import Tape
from runtime.settings import Settings

REASONS = ("expired", "log_lost")
"""Of the dead letters in which a stage says what it lost: no record of the log made them."""

TOLD = 'SELECT "topic", "partition", "offset", "reason", "detail" FROM "DeadLetter" WHERE "reason" = ANY(%s)'


async def untold(settings: Settings, tape: Tape) -> list[str]:
    """A sentence for each loss that a dead letter does not tell, and for each that is told and was none."""
    taken = {
        (tape.topic, number, lost.start, "expired"): lost.stop - 1
        for number in tape.partitions
        for lost in tape.left_out(number)
    }
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        found = await connection.execute(TOLD, [list(REASONS)])
        told = {(*where, reason): detail for *where, reason, detail in await found.fetchall()}
    wrong = [
        f"no dead letter tells that {topic}[{number}] {first} to {last} were deleted"
        for (topic, number, first, _), last in taken.items()
        if str(last) not in told.get((topic, number, first, "expired"), "").split()
    ]
    wrong += [
        f"a dead letter ({reason}) of {topic}[{number}] tells of a loss at {first} that was none: {detail}"
        for (topic, number, first, reason), detail in told.items()
        if (topic, number, first, reason) not in taken
    ]
    return wrong
