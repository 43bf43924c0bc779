"""What the plant's rules say of the log's time, for who writes the log and who looks at its end."""

from plant.log_clock import TrueTime
from plant.rules import PlantError, plant_text, read_plant
from runtime.settings import Settings


def declared(settings: Settings) -> tuple[TrueTime, str | None]:
    """`[[log_clock]]` of the plant file, and what is wrong with the file: then the log's time counts.

    A bridge does not stand still for a mistake in a file that only others need.
    """
    try:
        plant = read_plant(plant_text(settings.plant), str(settings.plant))
    except PlantError as error:
        return TrueTime(), str(error)
    return TrueTime(plant.log_clock), None
