"""The part of `linepulse doctor` that asks the page, as a browser does."""

import asyncio

from linepulse.finding import Finding
from linepulse.liveness import LOOPBACK
from runtime.settings import Settings

ANSWER_S = 5.0
ASKED = "/assets/page.css"


async def check_page(settings: Settings) -> Finding:
    """The page answers at its address. Not running here is no fault: it may run on another machine."""
    host = LOOPBACK.get(settings.dashboard_host, settings.dashboard_host)
    port = settings.dashboard_port
    if port == 0:
        return Finding("dashboard: on a port of its own choice (LINEPULSE_DASHBOARD_PORT=0), not asked")
    part = f"dashboard http://{host}:{port}"
    try:
        async with asyncio.timeout(ANSWER_S):
            answer = await _answer(host, port)
    except TimeoutError:
        return Finding(
            part,
            f"accepts connections and does not answer for {ANSWER_S:g} s: it is frozen; start it again",
        )
    except OSError:
        return Finding(f"{part}: does not run here")
    if not answer.startswith(b"HTTP/1.1 200"):
        return Finding(f"{part}: another program has this port")
    return Finding(part)


async def _answer(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {ASKED} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.readline()
    finally:
        writer.close()
