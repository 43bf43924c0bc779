"""What the bridge remembers of the log from one run to the next."""


class LogContinuity:
    """Detects that the log is not the same as before: it was deleted and made anew, or truncated.

    A log only grows. If it stores a record at an offset that was taken already, or its highest run is lower
    than one that it held, it is another log. Nothing else shows this, because Kafka lets a producer go on as
    if nothing had happened. `anew` is then True until the caller resets it.
    """

    def __init__(self) -> None:
        self.run = 0
        self.anew = False
        self._held = 0  # the highest run that the log held; a later one may have stored nothing
        self._next: dict[int, int] = {}

    def begin(self, highest: int) -> int:
        """The number of a new run in a log whose highest run is `highest`: above that, and above all of ours.

        Readers of the old log treat lower runs than its highest as void, so a new log does not restart at 1.
        """
        if highest < self._held:
            self._forget()
        self._held = highest
        self.run = max(highest, self.run) + 1
        return self.run

    def gap(self, partition: int, first: int) -> tuple[int, int | None] | None:
        """The offsets [begin, end) between our last record and a batch of ours at `first`, which others took.

        None: there are none. If Kafka does not say where it stored the batch, it can be anywhere up to the
        end of the log, and the end of the gap is None.
        """
        begin = self._next.get(partition)
        if begin is None or 0 <= first <= begin:
            return None
        return begin, first if first >= 0 else None

    def follows(self, partition: int, first: int, count: int) -> bool:
        """Note that Kafka stored `count` records from offset `first` on; False if that is in another log.

        Kafka answers with a negative offset for a batch that it had stored already; it does not say where.
        """
        if 0 <= first < self._next.get(partition, 0):
            self._forget()
            return False
        self._held = self.run
        if first >= 0:
            self._next[partition] = first + count
        return True

    def _forget(self) -> None:
        self._next.clear()
        self.anew = True
