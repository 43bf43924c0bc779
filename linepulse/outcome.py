"""The outcome of a person's message: the row as it is now, a refusal, or nothing seen in time."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, NoReturn

import psycopg
import typer
from psycopg.rows import dict_row

from linepulse.plant_time import PlantTime
from linepulse.rows import cell, in_utc, print_table, row_as_json
from plant.catalogue import sentence
from runtime.settings import Settings
from runtime.sql import statement
from runtime.text import json_text, plain

REFUSED = 1
UNSEEN = 3
CONNECT_S = 3
ANSWER_S = 3.0
Row = dict[str, Any]
_INNER = ("versionTime", "versionOffset")  # which event made the row: not shown to people


@dataclass(frozen=True)
class Outcome:
    """The outcome of the message, as people see it.

    Attributes:
        what: `applied`, `unchanged` (it was so before), `refused`, `unseen` or `sent` (not waited for).
        key: of the catalogue's section `asked`, or `order.add` and the like; `facts` fill its blanks.
        rows: as they are now.
        sure: False if the rows could be so without the message, so that a refusal may still come.
    """

    what: str
    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    sure: bool = True

    @property
    def code(self) -> int:
        """The exit code."""
        return {"refused": REFUSED, "unseen": UNSEEN}.get(self.what, 0)


class Rows:
    """PostgreSQL, read while a command waits."""

    def __init__(self, settings: Settings) -> None:
        """Connect.

        Raises:
            psycopg.Error: it does not answer.
        """
        self._connection: psycopg.Connection[Row] = psycopg.connect(
            in_utc(settings.database_url),
            connect_timeout=CONNECT_S,
            autocommit=True,
            row_factory=dict_row,
        )

    def all(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of a named statement.

        Raises:
            psycopg.Error: PostgreSQL does not have our tables, or does not answer in ANSWER_S (a frozen
            server
                neither closes the connection nor enforces its own timeouts).
        """
        answer: Future[list[Row]] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._connection.execute(statement(name), parameters).fetchall())
            except BaseException as error:
                answer.set_exception(error)

        Thread(target=ask, daemon=True).start()
        try:
            return answer.result(ANSWER_S)
        except TimeoutError:
            raise psycopg.OperationalError(f"no answer in {ANSWER_S:g} s") from None

    def one(self, name: str, **parameters: Any) -> Row | None:
        """The first row of a named statement, None if it has none.

        Raises: as `all`.
        """
        found = self.all(name, **parameters)
        return found[0] if found else None

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class Effect(ABC):
    """How the effect of one kind of message is observed."""

    patience_s = 5.0

    def note(self, rows: Rows) -> Outcome | None:  # noqa: ARG002 - used by subclasses
        """Before the message is sent: remember the rows; return an outcome if nothing is to be sent."""
        return None

    def attend(self, rows: Rows) -> None:  # noqa: B027 - most have nothing to open
        """Before the message is sent, if its outcome is waited for: start to observe."""

    @abstractmethod
    def look(self, rows: Rows, payload: bytes) -> Outcome | None:
        """After it was sent: its outcome, None while there is none yet."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Close what was opened."""


def version(row: Row) -> tuple[int, int]:
    """The version of the event that made a row: later events have higher ones."""
    return row["versionTime"], row["versionOffset"]


def conclude(
    settings: Settings, clock: PlantTime, request: str, outcome: Outcome, *, as_json: bool
) -> NoReturn:
    """Print the outcome, and end with its exit code."""
    facts = dict(outcome.facts)
    for name in ("status", "category"):
        if name in facts:
            facts[name] = sentence(settings.lang, f"page.{name}_{facts[name]}")
    text = sentence(settings.lang, outcome.key, **facts)
    rows = [{name: value for name, value in row.items() if name not in _INNER} for row in outcome.rows]
    if as_json:
        shown = [row_as_json(list(row), list(row.values()), clock) for row in rows]
        print(json_text({"outcome": outcome.what, "requestId": request, "message": text, "rows": shown}))
        raise typer.Exit(outcome.code)
    typer.echo(plain(text), err=outcome.code != 0)
    if rows:
        line = str(rows[0].get("line", ""))
        print_table(list(rows[0]), [[cell(value, clock, line) for value in row.values()] for row in rows])
    raise typer.Exit(outcome.code)
