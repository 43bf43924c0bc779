"""What the bridge's process knows of the log, from one run to the next."""


class LogContinuity:
    """Notices that the log is not the one that it was: deleted and made anew, or cut short.

    A log only grows. One that stores a record where it had stored one already, or whose highest run lies
    below a run that it held, is another log; nothing else shows it, because Kafka lets a producer go on as if
    nothing had happened. `anew` is True from then on until it is set back.
    """

    def __init__(self) -> None:
        self.run = 0
        self.anew = False
        self._held = 0  # the highest run that the log held; of one that began, the fence may never have come
        self._next: dict[int, int] = {}

    def begin(self, highest: int) -> int:
        """The number of a run to begin on a log whose highest is this: above that, and above all of ours.

        Readers that knew the old log void runs below its highest, so a new log does not begin again with 1.
        """
        if highest < self._held:
            self._forget()
        self._held = highest
        self.run = max(highest, self.run) + 1
        return self.run

    def gap(self, partition: int, first: int) -> tuple[int, int | None] | None:
        """The offsets [begin, end) that others took between what we stored last and a batch at `first`.

        None: there are none. Where Kafka does not say where it stored the batch, it may be anywhere up to the
        end of the log, and the end of the gap is None.
        """
        begin = self._next.get(partition)
        if begin is None or 0 <= first <= begin:
            return None
        return begin, first if first >= 0 else None

    def follows(self, partition: int, first: int, count: int) -> bool:
        """Note that Kafka stored `count` records from offset `first` on; False: in another log.

        A negative offset is Kafka's word for a batch that it had already, at an offset that it does not give.
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
