"""What the pipeline says it lost, beside what was taken from it."""

import psycopg

from chaos.tape import Tape
from runtime.settings import Settings

TOLD = 'SELECT "partition", "offset", "detail" FROM "DeadLetter" WHERE "topic" = %s AND "reason" = %s'


async def untold(settings: Settings, tape: Tape) -> list[str]:
    """A sentence for each loss that a dead letter does not tell, and for each that is told and was none."""
    taken = {(number, lost.start): lost for number in tape.partitions for lost in tape.left_out(number)}
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        found = await connection.execute(TOLD, [tape.topic, "expired"])
        told = {(partition, first): detail for partition, first, detail in await found.fetchall()}
    wrong = [
        f"no dead letter tells that {tape.topic}[{number}] {lost.start} to {lost.stop - 1} were deleted"
        for (number, first), lost in taken.items()
        if str(lost.stop - 1) not in told.get((number, first), "").split()
    ]
    wrong += [
        f"a dead letter of {tape.topic}[{number}] tells of a loss at {first} that was none: {detail}"
        for (number, first), detail in told.items()
        if (number, first) not in taken
    ]
    return wrong
