"""The sinks' database, for these tests too."""

from tests.sinks.conftest import plant

__all__ = ["plant"]
