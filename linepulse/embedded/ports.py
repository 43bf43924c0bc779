"""Free loopback ports, outside the range from which the system takes ports of outgoing connections."""

import random
import socket
from collections import deque

LOW, HIGH = 20_000, 32_000  # Linux hands out 32768-60999 to outgoing connections
_given: deque[int] = deque(maxlen=1000)  # given out, but perhaps not listened on yet


def is_free(port: int) -> bool:
    """Whether nothing listens on the port, on any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return not answers(port) and not answers(port, "::1")


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port if it is free, else another one, which is not given again soon."""
    if preferred is not None and is_free(preferred):
        return preferred
    while True:
        port = random.randrange(LOW, HIGH)
        if port not in _given and is_free(port):
            _given.append(port)
            return port
