"""Shows the progress of a rebuild: a bar on a terminal, a line every few seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from plant.catalogue import sentence

LINE_EVERY_S = 5.0
OnApplied = Callable[[int], None]


@contextmanager
def progress(lang: str, total: int, done: int, *, shown: bool) -> Iterator[OnApplied]:
    """Show how many of `total` messages are applied, at first `done`; the block is given a function to call
    with the number of messages that it applies."""
    console = Console()
    if not shown or total <= done:
        yield lambda _: None
    elif console.is_terminal:
        with _bar(console, lang) as bar:
            task = bar.add_task("", total=total, completed=done)
            yield lambda count: bar.advance(task, count)
    else:
        yield Lines(lang, total, done)


class Lines:
    """Prints a line every LINE_EVERY_S, and one at the end."""

    def __init__(self, lang: str, total: int, done: int) -> None:
        self._lang = lang
        self._total = total
        self._done = self._first = done
        self._began = self._printed = time.monotonic()

    def __call__(self, count: int) -> None:
        """Count messages that were applied."""
        self._done += count
        now = time.monotonic()
        if now - self._printed >= LINE_EVERY_S or self._done >= self._total:
            self._printed = now
            rate = (self._done - self._first) / max(now - self._began, 0.001)
            left = (self._total - self._done) / rate if rate else 0
            facts = {"done": self._done, "total": self._total, "rate": round(rate), "left": round(left)}
            print(sentence(self._lang, "rebuild.progress", **facts), flush=True)


class _Rate(ProgressColumn):
    def __init__(self, lang: str) -> None:
        super().__init__()
        self._lang = lang

    def render(self, task: Task) -> Text:
        """Messages per second, lately."""
        return Text(sentence(self._lang, "rebuild.rate", rate=round(task.speed or 0)))


def _bar(console: Console, lang: str) -> Progress:
    return Progress(
        TextColumn(sentence(lang, "rebuild.reading")),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        _Rate(lang),
        TimeRemainingColumn(),
        console=console,
    )
