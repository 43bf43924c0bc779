"""Asks a child process from outside whether it is alive: a frozen process can't report that itself."""

import asyncio
import contextlib

EVERY_S = 5.0
ANSWER_S = 4.0
FAILURES = 4  # in a row, for a child that has answered before
STARTING_FAILURES = 12  # for one that is still starting
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where to ask a process that listens on all addresses


class LivenessCheck:
    """Asks `/healthz` of one process; the caller does so every EVERY_S.

    It counts failed questions, not time: while a machine is asleep, no question fails.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = LOOPBACK.get(host, host)
        self._port = port
        self._answered = False
        self._failures = 0
        self.dead: str | None = None

    async def ask(self) -> None:
        """Ask once; after too many failures in a row `dead` says why."""
        wrong = await self._wrong()
        if wrong is None:
            self._answered, self._failures = True, 0
            return
        self._failures += 1
        if self._failures >= (FAILURES if self._answered else STARTING_FAILURES):
            self.dead = wrong

    async def _wrong(self) -> str | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                status = await self._status()
        except TimeoutError:
            return f"/healthz: no answer in {ANSWER_S:g} s"
        except (OSError, ValueError) as error:
            return f"/healthz: {error}"
        return None if status == b"200" else f"/healthz: {status.decode(errors='replace')}"

    async def _status(self) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(f"GET /healthz HTTP/1.0\r\nHost: {self._host}\r\n\r\n".encode())
            return (await reader.readline()).partition(b" ")[2][:3]
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
