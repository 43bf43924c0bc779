"""What `linepulse doctor` finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """A part of the installation; `wrong` says what is wrong with it and how to correct it; None: nothing."""

    part: str
    wrong: str | None = None
