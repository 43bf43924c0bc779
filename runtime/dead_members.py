"""Takes workers that died out of their group, so that their partitions need not wait for the session's end.

Kafka keeps the partitions of a worker that was killed until its session ends, and its successor waits. Who
starts on the same host can see that the process is gone, and leaves the group in its name.
"""

import asyncio
import os
import socket

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

ANSWER_S = 3.0


def client_id_of(name: str, pid: int) -> str:
    """How a worker of this host calls itself. The member ids of its group begin with it."""
    return f"{name}-{socket.gethostname()}-{pid}"


async def take_out_dead(servers: str, group: str, name: str) -> int:
    """Leave the group for its members that were processes of this host and are gone; return how many.

    Call it before joining: a member with our own process id is then one that was there before us, as in a
    container that was started again. Where Kafka does not answer, the session's end does the same later. A
    live worker that was taken out by mistake (another container with this host's name) joins again.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        async with asyncio.timeout(ANSWER_S):
            await admin.start()
            coordinator = await admin.find_coordinator(group)
            [response] = await admin.describe_consumer_groups([group], coordinator)
            [(_, _, _, _, _, members, *_)] = response.groups
            dead = [member_id for member_id, client_id, *_ in members if _is_dead(client_id, name)]
            for member_id in dead:
                await admin._send_request(LeaveGroupRequest(group, member_id), coordinator)
            return len(dead)
    except (KafkaError, TimeoutError, OSError):
        return 0
    finally:
        await admin.close()


def _is_dead(client_id: str, name: str) -> bool:
    begin = client_id_of(name, 0).removesuffix("0")
    pid = client_id.removeprefix(begin)
    if not client_id.startswith(begin) or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is another user's
    return False
