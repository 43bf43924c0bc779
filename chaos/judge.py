"""The judge: is PostgreSQL, to the row and the column, what the ledger and the log say?"""

from chaos.ledger import Ledger
from chaos.tape import Tape
from chaos.verdict import Verdict
from runtime.settings import Settings


async def judge(settings: Settings, ledger: Ledger, tape: Tape) -> Verdict:
    """Compare the ledger with PostgreSQL message by message, and every row with the fold over the tape.

    `settings` name Kafka and PostgreSQL themselves, not proxies.

    Raises:
        TapeError: the tape has a hole.
        Unavailable: Kafka or PostgreSQL does not answer.
    """
    raise NotImplementedError
