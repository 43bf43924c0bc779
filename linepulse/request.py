"""Sends a person's request to the pipeline, and waits for its outcome.

The request is an MQTT message. Its effect is a row in PostgreSQL, its refusal a dead letter there.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, NoReturn

import psycopg
import typer

from linepulse.operator_message import message_of, publish
from linepulse.outcome import Effect, Outcome, Row, Rows, conclude
from linepulse.plant_time import PlantTime
from plant.rules import PlantError, Rules, plant_text, read_plant
from runtime.settings import Settings
from schemas.raw import Kind

PATIENCE_S = 5.0
POLL_S = 0.1
SETTLE_S = 1.0  # a row that could be so without the message is believed after so long without a refusal

NoWait = Annotated[bool, typer.Option("--no-wait", help="Send it, and don't wait for what becomes of it.")]


@dataclass(frozen=True)
class Request:
    """What a person asks of a line: a message of a kind, with these fields (None: left out)."""

    line: str
    kind: Kind
    fields: dict[str, object]
    name: str  # of the command, as in the catalogue: `order.add`
    shown_by: str  # the command that shows its effect


def carry_out(
    settings: Settings,
    asked: Request,
    effect_by: Callable[[PlantTime], Effect],
    *,
    wait: bool,
    as_json: bool,
    new_line: bool = False,
) -> NoReturn:
    """Send the message, wait for its outcome, print that, and exit with its code.

    Exit codes: 0 applied, 1 refused, 3 the broker has it but no outcome was seen in time.

    Args:
        effect_by: makes the effect to observe, given the lines' time zones; raises UserError for a wrong
            time.
        new_line: the line need not be known.
    Raises:
        UserError: the message is not valid, or the broker does not accept it; nothing was sent.
    """
    request, _ = message_of(settings, asked.line, asked.kind, asked.fields)
    with contextlib.ExitStack() as opened:
        rows = connected(settings)
        if rows is not None:
            opened.callback(rows.close)
        clock = clock_of(settings, rows)
        effect = effect_by(clock)
        opened.callback(effect.close)
        outcome = None if rows is None else _known_before(rows, clock, asked, effect, new_line=new_line)
        if outcome is None:
            request, payload = message_of(settings, asked.line, asked.kind, asked.fields)
            letters = None
            if rows is not None and wait:
                letters = _observe(rows, effect, asked.line, payload)
            publish(settings, asked.line, asked.kind, payload)
            if not wait:
                outcome = Outcome("sent", asked.name, {"line": asked.line, "request": request})
            elif rows is None or letters is None:
                outcome = Outcome("unseen", "asked.no_database", {"where": asked.shown_by})
            else:
                outcome = _wait_for_outcome(rows, letters, effect, asked, payload)
    conclude(settings, clock, request, outcome, as_json=as_json)


def connected(settings: Settings) -> Rows | None:
    """PostgreSQL; None if it does not answer or does not have our tables."""
    try:
        rows = Rows(settings)
    except psycopg.Error:
        return None
    try:
        rows.all("effects.newest_letter")
    except psycopg.Error:
        rows.close()
        return None
    return rows


def clock_of(settings: Settings, rows: Rows | None) -> PlantTime:
    """The time zones of the lines by the rules in force; if these can't be read, by the plant file."""
    with contextlib.suppress(psycopg.Error, PlantError):
        if rows is not None and (record := rows.one("generation.live_rules")) is not None:
            return PlantTime(Rules(record["generation"], read_plant(record["plant"])))
    with contextlib.suppress(PlantError):
        return PlantTime(Rules(0, read_plant(plant_text(settings.plant), str(settings.plant))))
    return PlantTime(Rules(0, read_plant("")))


class Letters:
    """Finds the dead letter of one message; made before the message is sent."""

    def __init__(self, rows: Rows, line: str, payload: bytes) -> None:
        self._rows = rows
        newest = rows.one("effects.newest_letter")
        self._wanted = {"line": line, "payload": payload, "since": newest and newest["since"]}
        # Taking the same plan back twice sends the same message twice.
        before = rows.all("effects.letters", before=[], **self._wanted)
        self._before = [letter["id"] for letter in before]

    def look(self) -> Row | None:
        """The message's own dead letter, if there is one."""
        return self._rows.one("effects.letters", before=self._before, **self._wanted)


def _known_before(
    rows: Rows, clock: PlantTime, asked: Request, effect: Effect, *, new_line: bool
) -> Outcome | None:
    """The outcome that is known without sending anything, if there is one."""
    try:
        heard = rows.one("effects.line_heard", line=asked.line)
        if not (new_line or clock.names(asked.line) or (heard and heard["heard"])):
            known = {row["line"] for row in rows.all("effects.some_lines")} | set(clock.named)
            close = get_close_matches(asked.line, known, n=3) or sorted(known)[:5]
            key = "asked.unheard_order" if asked.name == "order.add" else "asked.unheard"
            return Outcome("refused", key, {"line": asked.line, "known": ", ".join(close) or "-"})
        return effect.note(rows)
    except psycopg.Error:
        return None


def _observe(rows: Rows, effect: Effect, line: str, payload: bytes) -> "Letters | None":
    try:
        effect.attend(rows)
        return Letters(rows, line, payload)
    except psycopg.Error:
        return None


def _wait_for_outcome(
    rows: Rows, letters: Letters, effect: Effect, asked: Request, payload: bytes
) -> Outcome:
    until = time.monotonic() + effect.patience_s
    first: float | None = None
    seen: Outcome | None = None
    try:
        while True:
            now = time.monotonic()
            # The effect first, so that a refusal between the two queries is not missed.
            seen = effect.look(rows, payload)
            if (letter := letters.look()) is not None:
                facts = {"line": asked.line, "why": letter["detail"], "id": letter["id"]}
                return Outcome("refused", "asked.refused", facts)
            first = None if seen is None else first or now
            if seen is not None and first is not None and (seen.sure or now - first >= SETTLE_S):
                return seen
            if seen is None and now >= until:
                facts = {"seconds": f"{effect.patience_s:g}", "where": asked.shown_by}
                return Outcome("unseen", "asked.unseen", facts)
            time.sleep(POLL_S)
    except psycopg.Error:
        return Outcome("unseen", "asked.no_database", {"where": asked.shown_by})
