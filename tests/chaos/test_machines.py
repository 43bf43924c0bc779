"""What the machines of a campaign send: the same by seed, and as the ledger describes each message."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chaos import poison
from chaos.machines import Machines
from chaos.message import Message, number_of
from plant.timestamps import event_time
from schemas.errors import Poison
from schemas.payloads import parse_data, parse_order, parse_status
from schemas.raw import Kind, route

NOW = 1_800_000_000_000
PARSERS: dict[str, Callable[[bytes], Any]] = {
    "data": parse_data,
    "status": parse_status,
    "order": parse_order,
}


def drawn(seed: int, messages: int = 20_000) -> list[Message]:
    plant = Machines(seed, 6)
    return [plant.next(NOW + 10 * n) for n in range(messages)]


def read(kind: str, payload: bytes) -> Any:
    """What the stream stage reads in it, its time included."""
    told = PARSERS[kind](payload)
    event_time(told.timestamp, "Europe/Paris")
    return told


def test_the_same_seed_sends_the_same():
    """Byte for byte, times included if the clock is the same."""
    assert drawn(7, 3000) == drawn(7, 3000)
    assert drawn(7, 3000) != drawn(8, 3000)


def test_every_kind_of_message_is_there_with_a_number_of_its_own():
    """Each message that can carry its number does, wherever it ends up."""
    messages = drawn(7)
    assert [message.n for message in messages] == list(range(1, len(messages) + 1))
    assert {message.kind for message in messages} == {"data", "status", "order", "poison"}
    assert {"ligne1", "flood", "gateway", "bare", "same", "ahead", "behind", "jumps"} <= {
        message.line for message in messages
    }
    for message in messages:
        assert number_of(message.topic, message.payload) == (message.n if message.numbered else None), message


def test_what_is_said_to_be_no_poison_is_none():
    """Data, status and orders are read as such; the data's number is its pressure."""
    for message in drawn(7):
        if message.kind == "poison":
            continue
        assert route(message.topic) == (Kind(message.kind), message.line)
        told = read(message.kind, message.payload)
        if message.kind == "data" and message.numbered:
            assert told.pressure == message.n


@pytest.mark.parametrize("sort", [*poison.SORTS, poison.OVERSIZE], ids=lambda sort: sort.reason)
def test_poison_is_poison_for_the_reason_that_it_names(sort: poison.Sort):
    """Otherwise the judge would search the wrong table."""
    message = poison.message(sort, 5, "bad n5" if sort is poison.UNROUTABLE else "ligne1")
    assert number_of(message.topic, message.payload) == (5 if sort.numbered else None)
    if sort is poison.UNROUTABLE:
        assert route(message.topic).kind is Kind.UNROUTABLE
    elif sort is poison.OVERSIZE:
        assert len(message.payload) > 900 * 1024
    else:
        with pytest.raises(Poison) as raised:
            read(sort.level, message.payload)
        assert raised.value.reason == sort.reason


def test_poison_of_every_sort_is_drawn():
    """All of them are drawn; the large one rarely."""
    poisons = [message for message in drawn(3) if message.kind == "poison"]
    for sort in poison.SORTS:
        assert any(m.payload == sort.payload(m.n) and m.topic.endswith(sort.level) for m in poisons), sort
    large = sum(len(message.payload) > 900 * 1024 for message in poisons)
    assert 0 < large < 0.05 * len(poisons)


def test_a_line_floods_and_a_gateway_sends_its_past_in_a_burst():
    """At some time most messages are of one line; at another many of the gateway come in a row."""
    messages = drawn(7)
    share = [Counter(m.line for m in messages[at : at + 500])["flood"] / 500 for at in range(0, 20_000, 500)]
    assert max(share) > 0.6
    assert min(share) < 0.2
    runs, last = [0], ""
    for message in messages:
        if message.kind != "poison":
            runs.append(runs[-1] + 1 if message.line == last == "gateway" else 0)
            last = message.line
    assert max(runs) >= 19


def test_clocks_are_off_where_asked_for():
    """A year ahead, a year behind, and one that jumps; without the option, none of them."""
    behind = next(m for m in drawn(7) if m.line == "behind" and m.kind == "data")
    told = event_time(parse_data(behind.payload).timestamp, "UTC")
    assert told is not None
    assert NOW - told > 364 * 86_400_000
    calm = Machines(7, 6, clock_scenarios=False)
    assert not {"ahead", "behind", "jumps"} & {calm.next(NOW).line for _ in range(5000)}
