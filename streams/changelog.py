"""The changelog of the lines' states: one topic a generation, compacted, and short.

A record's key is `key_of` a state, its value the state as JSON, its partition that of the raw log.
"""

from collections.abc import Mapping

from schemas.state import LineState

TABLE = "lines"
SEGMENT_BYTES = 4 * 1024 * 1024

# A worker that starts reads all of it. Kafka compacts only segments that are closed: with its own 1 GiB (or
# seven days) a partition would hold as much of states that were written over, one a line and second, and a
# worker of a year-old log would take minutes where one of an hour's takes none. So it holds no more than
# twice the states themselves, a segment, and what comes between two rounds of Kafka's cleaner (15 s).
CONFIG: Mapping[str, str] = {
    "segment.bytes": str(SEGMENT_BYTES),
    "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0",
}


def app_name(generation: int) -> str:
    """The stream stage's app, without the installation's prefix."""
    return f"streams-{generation}"


def changelog(prefix: str, generation: int) -> str:
    """The topic, as Faust names it."""
    return f"{prefix}-{app_name(generation)}-{TABLE}-changelog"


def key_of(state: LineState) -> bytes:
    """The key of a line's state, or of a partition's own entry."""
    # A line's name has no slash: a partition's own entry never meets one.
    return state.line_id.encode() if state.line_id else b"/%d" % state.partition
