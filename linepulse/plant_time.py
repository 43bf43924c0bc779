"""Times as people read and write them: in the time zone of the line, with its offset."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from plant.catalogue import refusal
from plant.rules import Rules, read_plant
from plant.timestamps import event_time
from runtime.errors import UserError
from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings
from schemas.errors import Poison
from schemas.instant import ms_of


class PlantTime:
    """The time zones of a plant's lines, by the rules in force."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @classmethod
    def read(cls, settings: Settings) -> "PlantTime":
        """From the rules in PostgreSQL, or the built-in ones if there are none yet.

        Raises:
            Unavailable: PostgreSQL does not answer.
            UserError: the database does not have our tables.
        """
        record = rules_in_database(settings.database_url)
        text, generation = ("", 0) if record is None else (record.plant, record.generation)
        return cls(Rules(generation, read_plant(text, f"rules of generation {generation}")))

    @property
    def named(self) -> list[str]:
        """The lines that the rules name."""
        return self._rules.named

    def names(self, line: str) -> bool:
        """Whether the rules name a line."""
        return line in self._rules.named

    def shown(self, moment: datetime, line: str, separator: str = " ") -> str:
        """`2026-01-15 14:03:05.250+01:00`: milliseconds only if needed to read the same moment back."""
        try:
            moment = moment.astimezone(ZoneInfo(self._zone(line, moment)))
        except OverflowError:  # on the last day of the year 9999
            moment = moment.astimezone(UTC)
        return moment.isoformat(separator, "milliseconds" if moment.microsecond else "seconds")

    def ms(self, settings: Settings, text: str, line: str, field: str) -> int:
        """What a person wrote, in ms since 1970; without an offset it is in the line's time zone.

        Raises:
            UserError: it is no point in time.
        """
        try:
            found = event_time(text, self._zone(line, datetime.now(UTC)), field)
        except Poison as poison:
            raise UserError(refusal(settings.lang, poison)) from None
        assert found is not None
        return found

    def _zone(self, line: str, moment: datetime) -> str:
        return self._rules.line(line, ms_of(moment)).time_zone
