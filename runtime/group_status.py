"""What Kafka says about a worker, asked apart from the worker's own consumer, which may have died."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, for_code
from faust.types import TP

from schemas.errors import Unavailable

ANSWER_S = 10.0


@dataclass(frozen=True)
class GroupStatus:
    """The log and the group at one moment."""

    ends: Mapping[TP, int]  # as ListOffsets says; the embedded broker's may lie below what was read
    member: bool  # the group is at rest, and this worker is in it
    given: frozenset[TP] | None  # what the group gives to this worker; None where the broker does not tell
    free: frozenset[TP]  # what it gives to nobody, as far as the broker tells


async def look(servers: str, group: str, client_id: str, partitions: Collection[TP]) -> GroupStatus:
    """Ask over connections of our own, made for this one look.

    Raises:
        Unavailable: Kafka does not answer.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            ends = await consumer.end_offsets(list(partitions))
            await admin.start()
            member, given = await _members(admin, group, client_id)
    except (KafkaError, TimeoutError, OSError) as error:
        raise Unavailable(f"Kafka {servers}: {error!r}") from None
    finally:
        await consumer.stop()
        await admin.close()
    known = {owner: theirs & set(partitions) for owner, theirs in given.items() if theirs is not None}
    return GroupStatus(
        ends={TP(*where): end for where, end in ends.items()},
        member=member is not None,
        given=None if member is None else known.get(member),
        free=frozenset(partitions).difference(*known.values()) if known else frozenset(),
    )


async def _members(
    admin: AIOKafkaAdminClient, group: str, client_id: str
) -> tuple[str | None, dict[str, frozenset[TP] | None]]:
    """This worker's name in the group, and who has what; no name while the group is not at rest."""
    [response] = await admin.describe_consumer_groups([group])
    [(error, _, state, _, _, members, *_)] = response.groups
    if error:
        raise for_code(error)
    if state != "Stable":
        return None, {}
    # A broker names members after the client id that they came with.
    ours = next((name for name, *_ in members if name.startswith(f"{client_id}-")), None)
    return ours, {name: _partitions(given) for name, _, _, _, given, *_ in members}


def _partitions(given: bytes | None) -> frozenset[TP] | None:
    if not given:
        return None
    assignment = ConsumerProtocolMemberAssignment.decode(given)
    return frozenset(TP(topic, number) for topic, numbers in assignment.assignment for number in numbers)
