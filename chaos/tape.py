"""The tape: every record that the raw log ever held, kept beside Kafka, retention or not."""

from collections.abc import Iterator
from pathlib import Path

from runtime.settings import Settings
from schemas.raw import RawRecord


class Tape:
    """Reads `production.raw` from its start on, continuously, into a file a partition.

    `async with Tape(settings, folder) as tape`; `settings` name Kafka itself, not a proxy. It outlives
    Kafka's absence. What retention is to delete must be on the tape before: `await tape.caught_up()`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> "Tape":
        raise NotImplementedError

    async def __aexit__(self, *_: object) -> None:
        raise NotImplementedError

    async def caught_up(self, seconds: float = 60) -> None:
        """Wait until the tape holds what the log holds now.

        Raises:
            TapeError: it does not in time, or the tape has a hole.
        """
        raise NotImplementedError

    def without(self, partition: int, first: int, last: int) -> None:
        """Leave out records, both ends included, that were deleted before the stream stage saw them."""
        raise NotImplementedError

    def end(self, partition: int) -> int:
        """The offset after the partition's last record on the tape."""
        raise NotImplementedError

    def records(self, partition: int, first: int = 0) -> Iterator[RawRecord]:
        """The partition's records from `first` on, in order, without those that were left out."""
        raise NotImplementedError


class TapeError(Exception):
    """The tape is not what the log held."""
