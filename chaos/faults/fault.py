"""The base class of faults."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from chaos.plant import Plant


class Fault(ABC):
    """One way to break the plant, from `begin` to `end`.

    Attributes:
        kind: its name in the plan.
        what: what it does, in a sentence.
        targets: what it can break; the plan goes through all of them.
        lasts: lowest and highest number of seconds between begin and end.
        weight: how often it is drawn, relative to the others.
        detail: what was drawn during it.
        vain: why nothing was broken; empty if something was.
        signals: SIGKILLs and SIGSTOPs that it has sent to roles and servers.
    """

    kind: ClassVar[str]
    what: ClassVar[str]
    targets: ClassVar[tuple[str, ...]] = ("",)
    lasts: ClassVar[tuple[float, float]] = (0.0, 0.0)
    weight: ClassVar[float] = 1.0

    def __init__(self, plant: Plant, target: str, draw: Random) -> None:
        self.plant = plant
        self.target = target
        self.draw = draw
        self.detail = self.vain = ""
        self.signals = 0

    def why_not(self) -> str | None:
        """Why it can't be done on this machine, None if it can."""
        return None

    @abstractmethod
    async def begin(self) -> None:
        """Break it."""

    async def end(self) -> None:  # noqa: B027 - a fault without duration needs no end
        """Stop breaking it; the pipeline must recover by itself."""
