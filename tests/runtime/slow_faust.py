"""A streams worker whose Faust waits between two steps that usually follow at once.

`python -m tests.runtime.slow_faust WHERE`:
`resume`: between its recovery's last step, a seek, and the resumption of the flow;
`seek`: between a seek in the client's thread and the notice of it;
`rebalance`: between a rebalance and the notice of it, so that a fetch begins in between, and ends after the
recovery has sought and before that resumes the flow.
In the first two, batches take long as well: what is fetched meanwhile waits in the queue of Faust's agent.
"""

import asyncio
import sys
import threading
from collections.abc import Mapping
from typing import Any

import aiokafka.consumer.consumer
import faust.tables.manager
from aiokafka.consumer.fetcher import Fetcher
from faust.tables.recovery import Recovery
from faust.types import TP

import runtime.batches
import runtime.fetching
import streams.agent
from linepulse.commands import roles

A_WHILE_S = 0.5  # several fetches
BATCH_S = 3.0


class SlowToResume(runtime.fetching.BatchConsumer):
    """Resumes the flow only some time after its recovery's last seek."""

    async def perform_seek(self) -> None:
        await super().perform_seek()
        await asyncio.sleep(A_WHILE_S)


class SlowToSeek(runtime.fetching.BatchConsumer):
    """Learns that a seek is done only after the first records from there were fetched."""

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        await super().seek_wait(partitions)
        await asyncio.sleep(A_WHILE_S)


fetching = threading.Event()  # a fetch waits for a rebalance to end
sought = threading.Event()
fetched = threading.Event()


class SlowToRebalance(runtime.fetching.BatchConsumer):
    """Learns of a rebalance late, when a fetch has begun."""

    async def threadsafe_partitions_revoked(self, loop: asyncio.AbstractEventLoop, revoked: set[TP]) -> None:
        if revoked:
            sought.clear()
            await passed(fetching)
        await super().threadsafe_partitions_revoked(loop, revoked)


class SlowToFetch(Fetcher):  # type: ignore[misc]
    """A fetch under way at a rebalance returns records to which its recovery has sought."""

    async def fetched_records(self, *which: Any, **how: Any) -> dict[TP, Any]:
        if not self._subscriptions.reassignment_in_progress:
            return dict(await super().fetched_records(*which, **how))
        fetching.set()
        await passed(sought)
        found: dict[TP, Any] = {}
        while not any(tp.topic.endswith("-changelog") for tp in found):
            found |= await super().fetched_records(*which, **how)
        fetched.set()
        return found


class SlowToRecover(Recovery):  # type: ignore[misc]
    """After its seek, waits for the fetch that was under way."""

    async def _seek_offsets(self, *seeks: Any) -> None:
        await super()._seek_offsets(*seeks)
        sought.set()
        if fetching.is_set():
            await passed(fetched)


async def passed(event: threading.Event) -> None:
    await asyncio.to_thread(event.wait)


class SlowAgent(streams.agent.LineAgent):
    """Its batches take longer than the delays of Faust."""

    async def apply(self, batch: runtime.batches.Batch) -> None:
        await asyncio.sleep(BATCH_S)
        await super().apply(batch)


CONSUMERS = {"resume": SlowToResume, "seek": SlowToSeek, "rebalance": SlowToRebalance}


def main() -> None:
    where = sys.argv[1]
    runtime.batches.BatchConsumer = CONSUMERS[where]  # type: ignore[attr-defined]
    if where == "rebalance":
        faust.tables.manager.Recovery = SlowToRecover
        aiokafka.consumer.consumer.Fetcher = SlowToFetch
    else:
        streams.agent.LineAgent = SlowAgent  # type: ignore[misc]
    roles.run_role("streams")


if __name__ == "__main__":
    main()
