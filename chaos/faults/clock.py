"""Faults of time."""

import signal

from chaos.faults.processes import OfWorkers


class ClockBack(OfWorkers):
    kind = "clock-back"
    what = "the bridge's clock steps back, and later forwards again; it may be killed in between"
    lasts = (3.0, 10.0)

    async def begin(self) -> None:
        back = self.draw.choice((30, 90, 3600, 86_400))
        self._set(-back)
        if self.draw.random() < 0.5:
            await self.send(self.one("bridge"), signal.SIGKILL)
            self.detail += " killed, "
        self.detail += f"{back} s back"

    async def end(self) -> None:
        self._set(0)

    def _set(self, seconds: int) -> None:
        new = self.plant.clock.with_suffix(".new")
        new.write_text(str(seconds), encoding="ascii")
        new.replace(self.plant.clock)
