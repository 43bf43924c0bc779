"""The true time of a log whose time was wrong, as `[[log_clock]]` of the plant file declares it."""

from plant.log_clock import TrueTime
from plant.rules import PlantError, plant_text, read_plant
from runtime.settings import Settings


def declared_time(settings: Settings) -> tuple[TrueTime, str | None]:
    """`[[log_clock]]` of the plant file; if that is not valid, the log's own time, and the error.

    The bridge goes on in spite of such an error, because it needs nothing else from this file.
    """
    try:
        plant = read_plant(plant_text(settings.plant), str(settings.plant))
    except PlantError as error:
        return TrueTime(), str(error)
    return TrueTime(plant.log_clock), None
