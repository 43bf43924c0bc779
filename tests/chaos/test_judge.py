"""The judge finds a calm run right, and whatever is changed by hand in it wrong."""

from chaos.judge import judge
from tests.chaos.conftest import MESSAGES, Calm


async def test_a_calm_run_is_right(calm: Calm):
    """Messages of every kind, without any fault: not a row too many, too few or different."""
    verdict = await judge(calm.settings, calm.ledger, calm.tape)
    print(verdict.text())
    assert verdict.right, verdict.text()
    assert (
        sum(verdict.counts[f"{kind} messages"] for kind in ("data", "status", "order", "poison")) == MESSAGES
    )
