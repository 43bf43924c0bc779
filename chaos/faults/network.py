"""Faults of the links between the roles and the servers."""

from chaos.faults.fault import Fault
from chaos.plant import LINKS


class OfLink(Fault):
    """Puts a link into a mode of the proxy."""

    targets = LINKS
    lasts = (3.0, 12.0)
    mode = ""
    weight = 1.5

    async def begin(self) -> None:
        await self.plant.links.become(self.target, self.mode)

    async def end(self) -> None:
        await self.plant.links.become(self.target, "pass")


class LinkRefused(OfLink):
    kind = "link-refused"
    what = "connections ended, new ones refused"
    mode = "refuse"


class LinkReset(OfLink):
    kind = "link-reset"
    what = "connections reset (RST), new ones as soon as they say something"
    mode = "reset"


class LinkDropped(OfLink):
    kind = "link-dropped"
    what = "packets silently dropped, connections stay open"
    mode = "drop"
    lasts = (8.0, 20.0)


class LinkCut(OfLink):
    kind = "link-cut"
    what = "each connection reset in the middle of a message, after so many bytes"

    async def begin(self) -> None:
        after = int(10 ** self.draw.uniform(1, 5))
        self.detail = f"after {after} bytes"
        await self.plant.links.become(self.target, "cut", after)
