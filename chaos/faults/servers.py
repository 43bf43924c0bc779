"""Faults of the servers. Mosquitto's SIGKILL is not among them: it acknowledges before it saves."""

from chaos.faults.fault import Fault
from chaos.plant import SESSION_S, in_thread, started
from linepulse.embedded.server import Server


class OfServer(Fault):
    """Does something to a server."""

    @property
    def server(self) -> Server:
        return self.plant.servers[self.target]

    async def end(self) -> None:
        await started(self.server)


class ServerKilled(OfServer):
    kind = "server-killed"
    what = "SIGKILL of a server, started again after a while"
    targets = ("kafka", "postgres")
    lasts = (0.0, 10.0)

    async def begin(self) -> None:
        await in_thread(self.server.kill)
        self.signals += 1


class ServerStopped(OfServer):
    kind = "server-stopped"
    what = "a server stopped in good order, started again after a while"
    targets = ("kafka", "postgres", "mqtt")
    lasts = (0.0, 10.0)

    async def begin(self) -> None:
        await in_thread(lambda: self.server.stop(30))


class ServerFrozen(OfServer):
    kind = "server-frozen"
    what = "SIGSTOP of a server for longer than the session timeout, then SIGCONT"
    targets = ("kafka", "postgres", "mqtt")
    lasts = (SESSION_S + 2.0, SESSION_S + 8.0)

    async def begin(self) -> None:
        self.server.freeze()
        self.signals += 1

    async def end(self) -> None:
        self.server.thaw()
