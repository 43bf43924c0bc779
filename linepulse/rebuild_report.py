"""What a rebuild found, for people and for programs."""

from collections import Counter, defaultdict
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from linepulse.rows import PIPE_WIDTH
from plant.catalogue import sentence
from rebuild.compare import Comparison, Difference, Place
from rebuild.steps import RebuildResult
from schemas.instant import text_of

MOST_PLACES = 40  # lines and days that are listed; the others are summed up


def tables_as_dict(comparison: Comparison) -> dict[str, dict[str, int]]:
    """The tables as `--json` prints them."""
    return {name: asdict(difference) for name, difference in comparison.tables.items()}


class Report:
    """Prints what was found, in the operator's language."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._console = Console()
        if not self._console.is_terminal:
            self._console = Console(width=PIPE_WIDTH)

    def show(self, found: RebuildResult, seconds: float) -> None:
        """Print all of it."""
        read = found.messages - found.before
        rate = round(read / max(seconds, 0.1))
        self._say("done", messages=read, seconds=round(seconds, 1), rate=rate)
        for partition, at in sorted(found.seams.items()):
            self._say("seam", partition=partition, at=text_of(at))
        if found.refused:
            self._say("refused", count=found.refused)
        if not found.caught_up:
            self._say("behind")
        self._console.print(self._tables(found.comparison))
        if found.comparison.places:
            self._console.print(self._places(found.comparison))

    def _tables(self, comparison: Comparison) -> Table:
        shown = Table(*self._words("table", "same", "changed", "added", "removed"))
        for name, difference in comparison.tables.items():
            shown.add_row(name, *map(str, asdict(difference).values()))
        return shown

    def _places(self, comparison: Comparison) -> Table:
        """The lines and days in which most rows differ."""
        shown = Table(*self._words("line", "day", "table", "changed", "added", "removed"))
        places = sorted(comparison.places.items(), key=lambda item: -item[1].differing)
        for place, difference in sorted(places[:MOST_PLACES], key=_by_line):
            shown.add_row(place.line, str(place.day), place.table, *_counts(difference))
        rest: Counter[str] = Counter()
        by_table: defaultdict[str, Difference] = defaultdict(Difference)
        for place, difference in places[MOST_PLACES:]:
            rest[place.table] += 1
            for what in ("changed", "added", "removed"):
                by_table[place.table].add(what, getattr(difference, what))
        for name, count in rest.items():
            shown.add_row(self._word("others", count=count), "", name, *_counts(by_table[name]))
        return shown

    def _words(self, *names: str) -> list[str]:
        return [self._word(f"head_{name}") for name in names]

    def _word(self, name: str, **facts: object) -> str:
        return sentence(self._lang, f"rebuild.{name}", **facts)

    def _say(self, name: str, **facts: object) -> None:
        print(self._word(name, **facts), flush=True)


def _by_line(item: tuple[Place, Difference]) -> tuple[str, str, str]:
    place = item[0]
    return place.line, str(place.day), place.table


def _counts(difference: Difference) -> list[str]:
    return [str(difference.changed), str(difference.added), str(difference.removed)]
