"""Orders: waiting ones start first, else one is created; they end when full, or by a message."""

from functools import partial
from hashlib import blake2b

from msgspec.structs import replace

from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from schemas.errors import Poison
from schemas.events import OrderEvent, OrderStatus
from schemas.frozen import latest
from schemas.ids import order_number_of, uuid_of
from schemas.instant import DAY, MINUTE, text_of
from schemas.payloads import OrderMessage
from schemas.state import (
    MAX_DONE_ORDERS,
    MAX_REMEMBERED,
    MAX_SIZE,
    MAX_WAITING,
    MAX_WAITING_SIZE,
    DoneOrder,
    Order,
    Orders,
)

HORIZON = 3650 * DAY  # an order's end is not estimated further from now
_RANK = {"low": 0, "medium": 1, "high": 2, "urgent": 3}


def on_sample(
    orders: Orders, sample: Sample, at: int, positive_target: float | None, context: RecordContext
) -> tuple[Orders, Order, list[RowUpdate]]:
    """Count a data message into the running order, starting one if none runs, ending it if it is full.

    Args:
        orders: the line's orders.
        sample: the message.
        at: the line's clock; ms. A late message whose order is not known counts into the one that runs now.
        positive_target: the line's last target rate above zero, pieces per minute.
        context: the record.
    Returns:
        The orders after it, the order that it counted in, and that order's row.
    """
    if orders.running is None:
        orders = _start(orders, sample, at, context)
    order = orders.running
    assert order is not None
    produced = order.produced + sample.pieces
    remaining = order.quantity - produced
    order = replace(
        order,
        produced=produced,
        defects=order.defects + sample.defects,
        actual_rate=order.actual_rate if sample.late or sample.rate is None else sample.rate,
        estimated_end=_estimate(at, remaining, positive_target),
    )
    if remaining > 0:
        return replace(orders, running=order), order, [row(order, "running", None, context)]
    return _ended(orders, order, "completed", at), order, [row(order, "completed", at, context)]


def _estimate(at: int, remaining: int, target: float | None) -> int | None:
    """When the remaining pieces are made at the target rate (pieces per minute); in the past if too many were
    made."""
    if not target:
        return None
    away = remaining / target * MINUTE
    return at + round(away) if -HORIZON <= away <= HORIZON else None


def on_past_sample(
    orders: Orders, number: str | None, sample: Sample, context: RecordContext
) -> tuple[Orders, Order, list[RowUpdate]] | None:
    """Count pieces that were made for an order that has ended; None if it is no longer known. Its end and
    status do not change."""
    for index, done in enumerate(orders.latest):
        if done.order.number == number and done.order.started_at is not None:
            order = replace(
                done.order,
                produced=done.order.produced + sample.pieces,
                defects=done.order.defects + sample.defects,
            )
            known = (*orders.latest[:index], replace(done, order=order), *orders.latest[index + 1 :])
            return replace(orders, latest=known), order, [row(order, done.status, done.ended_at, context)]
    return None


def _start(orders: Orders, sample: Sample, at: int, context: RecordContext) -> Orders:
    if orders.waiting:
        # The first of those with the highest priority: they are in the order of arrival.
        order = max(orders.waiting, key=lambda waiting: _RANK[waiting.priority])
    else:
        order = _automatic(at, context)
    target = order.target_rate if order.target_rate is not None else sample.target_rate
    started = replace(order, started_at=at, shift=context.shift(at).id, target_rate=target)
    waiting = tuple(other for other in orders.waiting if other.id != order.id)
    return replace(orders, running=started, waiting=waiting)


def _automatic(at: int, context: RecordContext) -> Order:
    rules = context.line_rules.order
    number = order_number_of(context.event_id, at)
    return Order(
        id=uuid_of("order", context.line_id, number),
        number=number,
        product=rules.product,
        quantity=rules.quantity,
        priority=rules.priority,
        operator=rules.operator,
        target_rate=None,
        created_at=context.received_at,
    )


def on_message(
    orders: Orders, message: OrderMessage, at: int, context: RecordContext
) -> tuple[Orders, list[RowUpdate]]:
    """Add, correct, close or cancel an order. A request that was applied before changes nothing.

    Raises:
        Poison: the order is unknown, none runs, too many wait, or more defects are taken back than known.
    """
    if message.request_id is not None:
        request = _digest(message.request_id)
        if request in orders.requests:
            return orders, []
        orders = replace(orders, requests=(*orders.requests, request)[-MAX_REMEMBERED:])
    if message.action == "add":
        return _add(orders, message, at, context)
    if message.action == "correct":
        return _correct(orders, message, at, context)
    return _end(orders, message, at, context)


def end_running(orders: Orders, at: int, context: RecordContext) -> tuple[Orders, list[RowUpdate]]:
    """End the running order, if any, as completed, whatever was produced."""
    if orders.running is None:
        return orders, []
    return _ended(orders, orders.running, "completed", at), [row(orders.running, "completed", at, context)]


def cancel_waiting(orders: Orders, at: int, context: RecordContext) -> tuple[Orders, list[RowUpdate]]:
    """Cancel all waiting orders."""
    return replace(orders, waiting=()), [row(order, "cancelled", at, context) for order in orders.waiting]


def known(orders: Orders, number: str | None) -> tuple[Order, int | None] | None:
    """The order of this number, if it runs, waits, or has ended and is remembered; and when it ended (ms)."""
    if orders.running is not None and orders.running.number == number:
        return orders.running, None
    ended = next(((done.order, done.ended_at) for done in orders.latest if done.order.number == number), None)
    return ended or next(((order, None) for order in orders.waiting if order.number == number), None)


def _add(
    orders: Orders, message: OrderMessage, at: int, context: RecordContext
) -> tuple[Orders, list[RowUpdate]]:
    number = message.order_number or order_number_of(context.event_id, at)
    running = orders.running
    if (running is not None and running.number == number) or _digest(number) in orders.done:
        return orders, []
    assert message.product_type is not None
    assert message.quantity is not None
    known = next((order for order in orders.waiting if order.number == number), None)
    # The line remembers only its latest numbers: an order with a forgotten one must get a row of its own.
    new = uuid_of("order", context.line_id, number, context.event_id)
    order = Order(
        id=new if known is None else known.id,
        number=number,
        product=message.product_type,
        quantity=message.quantity,
        priority=message.priority,
        operator=message.operator,
        target_rate=message.target_rate,
        created_at=context.received_at if known is None else known.created_at,
    )
    if known is None:
        waiting = (*orders.waiting, order)
    else:  # the same number again replaces the order, which keeps its place
        waiting = tuple(order if other is known else other for other in orders.waiting)
    if waiting != latest(waiting, MAX_WAITING, MAX_WAITING_SIZE):
        raise Poison("too_many_orders", limit=len(orders.waiting))
    return replace(orders, waiting=waiting), [row(order, "waiting", None, context)]


def _end(
    orders: Orders, message: OrderMessage, at: int, context: RecordContext
) -> tuple[Orders, list[RowUpdate]]:
    status: OrderStatus = "completed" if message.action == "close" else "cancelled"
    number, running = message.order_number, orders.running
    if number is None and running is None:
        raise Poison("no_running_order")
    if running is not None and number in (None, running.number):
        return _ended(orders, running, status, at), [row(running, status, at, context)]
    assert number is not None
    if _digest(number) in orders.done:
        return orders, []
    order = next((waiting for waiting in orders.waiting if waiting.number == number), None)
    if order is None:
        raise Poison("unknown_order", value=number)
    waiting = tuple(other for other in orders.waiting if other is not order)
    orders = replace(_ended(orders, order, status, at), running=running, waiting=waiting)
    return orders, [row(order, status, at, context)]


def _correct(
    orders: Orders, message: OrderMessage, at: int, context: RecordContext
) -> tuple[Orders, list[RowUpdate]]:
    """Set an order's quantity, and add defects to it. A running order that is then full ends."""
    number, running = message.order_number, orders.running
    assert number is not None
    if running is not None and running.number == number:
        order = _corrected(running, message)
        if order.produced < order.quantity:
            return replace(orders, running=order), [row(order, "running", None, context)]
        return _ended(orders, order, "completed", at), [row(order, "completed", at, context)]
    for index, waiting in enumerate(orders.waiting):
        if waiting.number == number:
            order = _corrected(waiting, message)
            others = (*orders.waiting[:index], order, *orders.waiting[index + 1 :])
            return replace(orders, waiting=others), [row(order, "waiting", None, context)]
    for index, done in enumerate(orders.latest):
        if done.order.number == number:
            order = _corrected(done.order, message)
            corrected = (*orders.latest[:index], replace(done, order=order), *orders.latest[index + 1 :])
            return replace(orders, latest=corrected), [row(order, done.status, done.ended_at, context)]
    raise Poison("unknown_order", value=number)


def _corrected(order: Order, message: OrderMessage) -> Order:
    defects = order.defects + message.defects
    if defects < 0:
        raise Poison("too_few_defects", known=order.defects, value=message.defects)
    quantity = order.quantity if message.quantity is None else message.quantity
    return replace(order, quantity=quantity, defects=defects)


def _ended(orders: Orders, order: Order, status: OrderStatus, at: int) -> Orders:
    known = (*orders.latest, DoneOrder(order, status, at))
    return replace(
        orders,
        running=None,
        done=(*orders.done, _digest(order.number))[-MAX_REMEMBERED:],
        latest=latest(known, MAX_DONE_ORDERS, MAX_SIZE),
    )


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def row(order: Order, status: OrderStatus, ended_at: int | None, context: RecordContext) -> RowUpdate:
    """The update of an order's row."""
    return RowUpdate(OrderEvent, order.id, partial(_row, order, status, ended_at, context))


def _row(order: Order, status: OrderStatus, ended_at: int | None, context: RecordContext) -> OrderEvent:
    return OrderEvent(
        **context.stamp(order.id),
        order_number=order.number,
        product_type=order.product,
        quantity=order.quantity,
        produced=order.produced,
        defects=order.defects,
        target_rate=order.target_rate,
        actual_rate=order.actual_rate,
        start_time=None if order.started_at is None else text_of(order.started_at),
        estimated_end_time=None if order.estimated_end is None else text_of(order.estimated_end),
        end_time=None if ended_at is None else text_of(ended_at),
        status=status,
        priority=order.priority,
        shift=order.shift,
        operator=order.operator,
        created_at=text_of(order.created_at),
        updated_at=context.seen_at,
    )
