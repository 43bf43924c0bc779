"""The buffered socket of the MQTT client."""

import socket
from collections.abc import Iterator

import pytest

from bridge.wire import CHUNK_BYTES, BufferedSocket

Pair = tuple[BufferedSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    buffered = BufferedSocket(ours)
    yield buffered, theirs
    buffered.close()
    theirs.close()


def test_small_reads_give_the_bytes_in_order(pair: Pair) -> None:
    """Read as paho reads: a byte, a byte, the rest."""
    ours, theirs = pair
    theirs.sendall(b"0\x05hello1\x02yo")
    assert [ours.recv(1), ours.recv(1), ours.recv(5)] == [b"0", b"\x05", b"hello"]
    assert ours.has_more()
    assert [ours.recv(1), ours.recv(1), ours.recv(9)] == [b"1", b"\x02", b"yo"]
    assert not ours.has_more()


def test_nothing_there_is_said_as_a_socket_says_it(pair: Pair) -> None:
    """paho waits after BlockingIOError, and takes b"" for the end."""
    ours, theirs = pair
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    theirs.close()
    assert ours.recv(1) == b""


def test_what_was_taken_goes_out_at_flush(pair: Pair) -> None:
    """In the order in which it was buffered."""
    ours, theirs = pair
    assert ours.send(b"one") == 3
    assert ours.send(b"two") == 3
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(10)
    assert ours.flush()
    assert theirs.recv(10) == b"onetwo"


def test_a_full_network_keeps_the_rest(pair: Pair) -> None:
    """`flush` returns False, and the rest goes out later, complete."""
    ours, theirs = pair
    data = bytes(range(256)) * 40_000
    ours.send(data)
    assert not ours.flush()
    theirs.settimeout(5)
    received = bytearray()
    while len(received) < len(data):
        received += theirs.recv(1 << 20)
        ours.flush()
    assert received == data


def test_a_large_read_takes_no_detour(pair: Pair) -> None:
    """A payload larger than the buffer is read directly, after what was buffered before it."""
    ours, theirs = pair
    theirs.sendall(b"ab")
    assert ours.recv(1) == b"a"
    theirs.sendall(b"c" * 100)
    assert ours.recv(CHUNK_BYTES) == b"b"
    assert ours.recv(CHUNK_BYTES) == b"c" * 100
