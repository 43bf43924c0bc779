"""The faults, in one table."""

from chaos.faults.clock import ClockBack
from chaos.faults.database import ConnectionsExhausted, DiskFull, LongLock
from chaos.faults.fault import Fault
from chaos.faults.network import LinkCut, LinkDropped, LinkRefused, LinkReset
from chaos.faults.processes import (
    BridgeDoubled,
    Freeze,
    Kill,
    KillRecovering,
    Stop,
    TwoAtOnce,
    WorkerAdded,
    WorkerRemoved,
)
from chaos.faults.reread import Reread
from chaos.faults.retention import Retention
from chaos.faults.servers import ServerFrozen, ServerKilled, ServerStopped

FAULTS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        Kill,
        KillRecovering,
        Freeze,
        TwoAtOnce,
        BridgeDoubled,
        WorkerAdded,
        WorkerRemoved,
        Stop,
        ServerKilled,
        ServerStopped,
        ServerFrozen,
        LinkRefused,
        LinkReset,
        LinkDropped,
        LinkCut,
        DiskFull,
        ConnectionsExhausted,
        LongLock,
        Reread,
        Retention,
        ClockBack,
    )
}

__all__ = ["FAULTS", "Fault"]
