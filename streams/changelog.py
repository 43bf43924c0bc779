"""The changelog of the line states: one compacted topic per generation, kept short.

A record's key is `key_of` its state, its value the state as JSON, its partition that of the raw log.
"""

from collections.abc import Mapping

from schemas.state import LineState

TABLE = "lines"
SEGMENT_BYTES = 4 * 1024 * 1024

# A worker that starts reads all of it. Kafka compacts closed segments only: with its default of 1 GiB (or
# seven days) a partition would hold that much of superseded states, one per line and second, and a worker on
# a year-old log would take minutes to start. With these settings it holds at most twice the states
# themselves, one segment, and what is written between two rounds of Kafka's cleaner (15 s).
CONFIG: Mapping[str, str] = {
    "segment.bytes": str(SEGMENT_BYTES),
    "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0",
}


def app_name(generation: int) -> str:
    """The name of the stream stage's app, without the installation's prefix."""
    return f"streams-{generation}"


def changelog(prefix: str, generation: int) -> str:
    """The name that Faust gives the topic."""
    return f"{prefix}-{app_name(generation)}-{TABLE}-changelog"


def key_of(state: LineState) -> bytes:
    """The key of a line's state, or of a partition's own entry."""
    # A line's name has no slash, so the key of an own entry never equals one.
    return state.line_id.encode() if state.line_id else b"/%d" % state.partition
