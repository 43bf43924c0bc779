"""Reads a record's payload: the message, and its timestamp."""

from msgspec import Struct

from plant.mapping import read_data, read_status
from plant.timestamps import event_time
from rules.record_context import RecordContext
from schemas.errors import Poison
from schemas.operator_message import OperatorMessage, parse_operator_message
from schemas.payloads import Data, OrderMessage, Status, parse_order
from schemas.raw import DATA, ORDER, OVERSIZE, STATUS, RawRecord
from schemas.state import LineState


class Message(Struct, frozen=True, gc=False):
    """A message, as read from a record."""

    body: Data | Status | OrderMessage | OperatorMessage
    timestamp: int | None = None  # ms; None: it has none
    waited: bool = False  # it was delivered with delay: it had waited for the bridge, or was retained


def read(record: RawRecord, line: LineState, context: RecordContext) -> Message:
    """Read a message of a line.

    Args:
        record: any record but a tick.
        line: the line before the message.
        context: the record.
    Raises:
        Poison: it can't be read.
    """
    headers, rules = record.headers, context.line_rules
    kind, near = headers.kind, context.received_at if line.clock is None else line.clock
    if kind is OVERSIZE:
        raise Poison("oversize", length=headers.length)
    # A retained status is accepted as the first message of a line that was never heard (it may have orders).
    if headers.retain and (kind is not STATUS or line.heard_at):
        raise Poison("retained")
    if kind is DATA:
        data = read_data(record.payload, rules)
        return Message(data, event_time(data.timestamp, rules.time_zone, near=near), headers.backlog)
    if kind is STATUS:
        operator_message = parse_operator_message(record.payload)
        if operator_message is not None:
            return Message(operator_message)
        status = read_status(record.payload, rules)
        if status.status == "online":
            return Message(status)
        timestamp = event_time(status.timestamp, rules.time_zone, near=near)
        if headers.retain and timestamp is not None and timestamp < context.received_at - rules.past:
            timestamp = None  # a retained status still holds, however long ago it was sent
        return Message(status, timestamp, headers.backlog or headers.retain)
    order = parse_order(record.payload)
    return Message(order, event_time(order.timestamp, rules.time_zone, near=near))


def is_from_operator(record: RawRecord) -> bool:
    """Whether a person sent the record, and not a machine; for any bytes, also such as can't be read."""
    kind = record.headers.kind
    return kind is ORDER or (kind is STATUS and b'"action"' in record.payload)
