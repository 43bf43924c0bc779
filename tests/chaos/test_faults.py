"""How a campaign reports a fault that broke nothing."""

from pathlib import Path
from typing import cast

import pytest

from chaos.campaign import Campaign, Options
from chaos.faults import FAULTS, Fault
from chaos.plan import Planned
from chaos.plant import Plant
from chaos.prober import Prober


class Vain(Fault):
    """Finds nothing to break when it begins."""

    kind = "vain"
    what = "nothing"

    async def begin(self) -> None:
        self.vain = "there is nothing to break"


class Impossible(Vain):
    """Reports before it begins that it can't be done here."""

    def why_not(self) -> str | None:
        return "this machine has no disk"


@pytest.mark.parametrize(
    ("kind", "why"), [(Vain, "there is nothing to break"), (Impossible, "this machine has no disk")]
)
async def test_a_fault_that_was_not_done_fails_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Fault], why: str
) -> None:
    """Otherwise a campaign could pass in which nothing was broken."""
    monkeypatch.setitem(FAULTS, "vain", kind)
    plan = [Planned(1, "vain", "", soon=False, pause_s=0.0, lasts_s=0.0, seed=1)]
    campaign = Campaign(Options(1, 10, 1, 10.0), plan, tmp_path, lambda _: None)
    await campaign._fault(cast(Plant, None), cast(Prober, None), plan[0])
    assert f"not done: vain: {why}" in campaign.report.wrong
