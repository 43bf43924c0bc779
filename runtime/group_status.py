"""What Kafka reports about a worker, over connections apart from its consumer, which may be dead."""

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

    ends: Mapping[TP, int]  # from ListOffsets; the embedded broker's can be lower than what was read
    member: bool  # the group is stable, and this worker is a member
    given: frozenset[TP] | None  # what is assigned to this worker; None if the broker does not report it
    free: frozenset[TP]  # what is assigned to nobody, as far as the broker reports it


async def look(servers: str, group: str, client_id: str, partitions: Collection[TP]) -> GroupStatus:
    """Ask Kafka, over connections made for this one question.

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
    """This worker's member id and the assignment of all members; no id while the group is not stable."""
    [response] = await admin.describe_consumer_groups([group])
    [(error, _, state, _, _, members, *_)] = response.groups
    if error:
        raise for_code(error)
    if state != "Stable":
        return None, {}
    # A broker's member ids begin with the client id.
    ours = next((name for name, *_ in members if name.startswith(f"{client_id}-")), None)
    return ours, {name: _partitions(given) for name, _, _, _, given, *_ in members}


def _partitions(given: bytes | None) -> frozenset[TP] | None:
    if not given:
        return None
    assignment = ConsumerProtocolMemberAssignment.decode(given)
    return frozenset(TP(topic, number) for topic, numbers in assignment.assignment for number in numbers)
