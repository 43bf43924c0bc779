"""A bridge whose name server does not answer: `python -m tests.bridge.no_name_server`."""

import socket
import threading
from typing import Any

from bridge.role import main
from runtime.settings import Settings

NAME = "broker.plant.example"
really = socket.getaddrinfo


def getaddrinfo(host: Any, *how: Any, **which: Any) -> Any:
    """Blocks for ever for the name of the broker."""
    if host == NAME:
        threading.Event().wait()
    return really(host, *how, **which)


if __name__ == "__main__":
    socket.getaddrinfo = getaddrinfo
    main(Settings.read())
