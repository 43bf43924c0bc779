"""A partition for tests: messages of several lines, operator messages and ticks; each word is a record."""

import asyncio
from collections.abc import Iterable, Sequence

from plant.rules import Rules, read_plant
from rules.partition import PARTITION, Lines
from runtime.narrator import Narrator
from schemas.events import DeadLetterEvent, Event
from schemas.instant import HOUR, SECOND
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.sent import Sent
from streams.store import LineStore
from tests.rules.line import at, rows_of
from tests.streams.changelog import WHERE, Changelog, Log, fold

WORDS = {
    "stops": (Kind.STATUS, b"stopped"),
    "nonsense": (Kind.DATA, b"?"),
    "order": (Kind.ORDER, b'{"productType":"A","quantity":5}'),
    "retire": (Kind.STATUS, b'{"action":"retire"}'),
    "forget": (Kind.STATUS, b'{"action":"forget"}'),
}
DATA = (Kind.DATA, b'{"count":1,"running":true}')


def records_of(words: Iterable[str], start: str = "10:00", step: int = 10) -> list[RawRecord]:
    """`a` is a data message of line a, `a.forget` what people say of it, `+25h` a tick 25 hours later.

    So many seconds lie between any two records.
    """
    now, records = at(start), list[RawRecord]()
    for offset, word in enumerate(words):
        now += step * SECOND
        if word.startswith("+"):
            now += int(word[1:-1]) * HOUR if word != "+" else 0
            records.append(RawRecord(0, offset, now, None, RawHeaders(Kind.TICK), b""))
            continue
        line_id, _, what = word.partition(".")
        kind, payload = WORDS.get(what, DATA)
        headers = RawHeaders(kind, f"production/{line_id}/{kind}", 1)
        records.append(RawRecord(0, offset, now, line_id, headers, payload))
    return records


class Partition:
    """Records of a partition, and the rows and states that they give under the rules of a plant."""

    def __init__(self, plant: str, words: str | Sequence[str], step: int = 10) -> None:
        self.rules = Rules(1, read_plant(plant))
        self.records = records_of(words.split() if isinstance(words, str) else words, step=step)
        self.lines = Lines(self.rules, WHERE.topic, 0, failed=lambda _: None)
        self.events = fold(self.lines, self.records)

    @property
    def names(self) -> list[str]:
        """The lines that are known."""
        return [
            name for name, state in self.lines.states.items() if name != PARTITION and not state.forgotten
        ]

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Of each dead letter, its line and its reason."""
        return [(row.line_id, row.reason) for row in self.events if isinstance(row, DeadLetterEvent)]

    def survives_every_crash(self, size: int) -> None:
        """A crash after each write to the changelog: in the end every row and every state is as without."""
        straight, states = rows_of(self.events), self.lines.states
        asyncio.run(self._crash_everywhere(size, straight, states))

    async def _crash_everywhere(self, size: int, straight: object, states: object) -> None:
        changelog = Changelog([])
        store = self._store(changelog)
        await store.positions([WHERE])
        sent: list[Event] = []
        durable = [(0, 0)]  # (writes, events) after each save
        for first in range(0, len(self.records), size):
            sent += fold(store.lines(0), self.records[first : first + size])
            await store.settled(0)
            store.save(0)
            durable.append((len(changelog.writes), len(sent)))
        for writes in range(len(changelog.writes) + 1):
            after = self._store(Changelog(changelog.writes[:writes]))
            start = (await after.positions([WHERE]))[WHERE]
            events = next(events for held, events in durable if held >= writes)
            again = fold(after.lines(0), self.records[start:])
            assert rows_of([*sent[:events], *again]) == straight, f"after {writes} writes"
            lines = after.lines(0).states
            lines[PARTITION].open_rows_due = None
            assert lines == states, f"after {writes} writes"

    def _store(self, changelog: Changelog) -> LineStore:
        ticking = iter(range(0, 10**6, 2))
        return LineStore(
            self.rules, WHERE.topic, changelog, Log(self.records), Narrator("en"), Sent(), ticking.__next__
        )
