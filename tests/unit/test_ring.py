"""Many sockets in one system call: each gets its frames, whole and in order, whatever the others do."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.transport import ring as ring_module
from hubbub.transport.ring import Ring, open_ring

_SMALL_BUFFER = 8 * 1024


class Peer:
    """A connection: what the ring does not send waits in `queue`, as in a transport, until `drain`."""

    def __init__(self, ring: Ring, *, buffer: int | None = None) -> None:
        self.ring = ring
        self.here, self.there = socket.socketpair()
        self.here.setblocking(False)
        self.there.setblocking(False)
        if buffer is not None:
            self.here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.queue: list[bytes | memoryview] = []
        self.read = b""
        self.socket = ring.add(self.here.fileno(), self.queue.append)

    def write(self, frame: bytes | memoryview) -> None:
        """What an event loop's transport does while something waits in it."""
        self.queue.append(frame)

    def take(self) -> None:
        """Read all that is there."""
        while True:
            try:
                data = self.there.recv(1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            self.read += data

    def drain(self) -> None:
        """Read, and have the queue go out, until all is over."""
        self.take()
        while self.queue:
            waiting = self.queue.pop(0)
            try:
                count = self.here.send(waiting)
            except BlockingIOError:
                count = 0
            if count < len(waiting):
                self.queue.insert(0, waiting[count:])
            self.take()

    def close(self) -> None:
        """The end of the connection."""
        self.ring.remove(self.socket)
        self.here.close()
        self.there.close()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="module")
def ring() -> Iterator[Ring]:
    opened = open_ring()
    assert opened is not None, "This machine allows no io_uring: these tests can't run on it."
    yield opened
    opened.close()


@pytest.fixture
def peer(ring: Ring) -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def make(**options: int) -> Peer:
        peers.append(Peer(ring, **options))
        return peers[-1]

    yield make
    for one in peers:
        one.close()


def test_each_socket_of_a_parcel_gets_the_frame(ring: Ring, peer: Callable[..., Peer]) -> None:
    peers = [peer() for _ in range(300)]
    sockets = b"".join([one.socket for one in peers])
    for number in range(50):  # several times around the ring
        ring.send([(sockets, b"%d," % number)])
    for one in peers:
        one.take()
        assert one.read == b"".join(b"%d," % number for number in range(50))
        assert one.queue == []


def test_several_parcels_go_out_together_each_to_its_own(ring: Ring, peer: Callable[..., Peer]) -> None:
    ada, bob, eve = peer(), peer(), peer()
    ring.send([(ada.socket + bob.socket, b"one"), (eve.socket, b"two"), (bob.socket + eve.socket, b"three")])
    for one in (ada, bob, eve):
        one.take()
    assert (ada.read, bob.read, eve.read) == (b"one", b"onethree", b"twothree")


@pytest.mark.parametrize("few", [0, 30])
def test_more_sockets_than_go_into_one_call(few: int) -> None:
    ring = Ring(slots=64)
    peers = [Peer(ring) for _ in range(200)]
    sockets = b"".join([one.socket for one in peers])
    first = [(sockets[: len(sockets) * few // 200], b"few,")] if few else []
    ring.send([*first, (sockets, b"all")])
    for number, one in enumerate(peers):
        one.take()
        assert one.read == (b"few,all" if number < few else b"all")
        one.close()
    ring.close()


def test_a_parcel_for_nobody(ring: Ring, peer: Callable[..., Peer]) -> None:
    ada = peer()
    ring.send([(b"", b"nobody"), (ada.socket, b"ada")])
    ring.send([])
    ada.take()
    assert ada.read == b"ada"


def test_what_a_full_socket_does_not_take_goes_to_its_transport(
    ring: Ring, peer: Callable[..., Peer]
) -> None:
    full, other = peer(buffer=_SMALL_BUFFER), peer()
    frame = os.urandom(100_000)
    ring.send([(full.socket + other.socket, frame)])
    waited = b"".join(full.queue)
    assert 0 < len(waited) < len(frame)
    assert frame.endswith(waited)
    full.drain()
    other.drain()
    assert full.read == frame
    assert other.read == frame


def test_a_socket_that_fills_up_gets_nothing_past_its_transport(
    ring: Ring, peer: Callable[..., Peer]
) -> None:
    """Even if there is room again in the middle: the rest of a frame comes before the next frame."""
    full, other = peer(buffer=_SMALL_BUFFER), peer()
    frames = [bytes([65 + number]) * 20_000 for number in range(8)]
    reads = iter(frames)
    add = ring._unsent

    def unsent(frame: bytes | memoryview) -> None:
        full.write(frame)
        full.take()  # makes room in the socket, which nobody may use before the queue is empty
        next(reads, None)

    own = next(own for own, call in add.items() if call == full.queue.append)
    add[own] = unsent
    ring.send([(full.socket + other.socket, frame) for frame in frames])
    full.drain()
    other.drain()
    assert full.read == b"".join(frames)
    assert other.read == b"".join(frames)


def test_one_that_reads_meanwhile_gets_its_frames_in_order(ring: Ring, peer: Callable[..., Peer]) -> None:
    """It makes room in its socket between two sends of the same call."""
    ada = peer(buffer=_SMALL_BUFFER)
    ada.there.setblocking(True)
    wanted = bytearray()
    over = threading.Event()

    def read() -> None:
        while not over.is_set() or len(ada.read) < len(wanted):
            ada.read += ada.there.recv(1 << 16)

    reading = threading.Thread(target=read)
    reading.start()
    for burst in range(6):
        frames = [bytes([burst % 256, number]) * 1_000 for number in range(200)]
        wanted += b"".join(frames)
        ring.send([(ada.socket, frame) for frame in frames])
        while ada.queue:
            waiting = ada.queue.pop(0)
            ada.here.setblocking(True)
            ada.here.sendall(waiting)
            ada.here.setblocking(False)
    over.set()
    ada.here.shutdown(socket.SHUT_WR)
    reading.join()
    assert ada.read == bytes(wanted)


def test_a_connection_that_is_gone_hears_of_it_by_its_transport_and_the_others_get_theirs(
    ring: Ring, peer: Callable[..., Peer]
) -> None:
    ada, gone, bob = peer(), peer(), peer()
    gone.there.close()
    ring.send([(ada.socket + gone.socket + bob.socket, b"hello")])
    ada.take()
    bob.take()
    assert (ada.read, bob.read, gone.queue) == (b"hello", b"hello", [b"hello"])


def test_a_socket_closed_and_its_number_used_again_hears_nothing(ring: Ring) -> None:
    """The event loop closes its socket, and the next connection gets the number: what is sent is not for that one."""
    first = Peer(ring)
    number = first.here.fileno()
    sockets = first.socket
    here, there = socket.socketpair()
    first.here.close()
    with here, there:
        there.setblocking(False)
        os.dup2(here.fileno(), number)
        ring.send([(sockets, b"private")])
        with pytest.raises(BlockingIOError):
            there.recv(100)
        os.close(number)
    first.there.close()
    ring.remove(first.socket)


def test_what_was_removed_is_given_back(ring: Ring) -> None:
    before = _open_files()
    for _ in range(100):
        Peer(ring).close()
    assert _open_files() == before


def test_a_ring_that_is_closed_leaves_nothing_open() -> None:
    before = _open_files()
    opened = open_ring()
    assert opened is not None
    with socket.socket() as one:
        opened.add(one.fileno(), lambda _data: None)
        opened.close()
    del opened
    assert _open_files() == before


def test_after_the_end_everything_goes_to_the_transports() -> None:
    ring = Ring()
    ada, bob = Peer(ring), Peer(ring)
    ring.close()
    ring.send([(ada.socket + bob.socket, b"late"), (bob.socket, b"r")])
    assert (b"".join(ada.queue), b"".join(bob.queue)) == (b"late", b"later")
    ada.close()
    bob.close()


def test_without_io_uring_there_is_no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Ring:
        raise PermissionError(1, "no io_uring here")

    monkeypatch.setattr(ring_module, "Ring", refused)
    assert open_ring() is None


@given(seed=st.integers(0, 2**32))
def test_every_stream_is_whole_and_in_order(seed: int) -> None:
    """Sockets that fill up at random, in many parcels at once, some drained in between, as a busy server's are."""
    chance = random.Random(seed)
    ring = open_ring()
    assert ring is not None
    peers = [Peer(ring, buffer=_SMALL_BUFFER) for _ in range(6)]
    wanted = [bytearray() for _ in peers]
    for _ in range(20):
        parcels = []
        for _ in range(chance.randint(1, 4)):
            members = chance.sample(range(6), chance.randint(1, 6))
            frame = bytes([chance.randint(0, 255)]) * chance.choice((10, 1_000, 30_000))
            direct = [number for number in members if not peers[number].queue]
            parcels.append((b"".join([peers[number].socket for number in direct]), frame))
            for number in members:
                wanted[number] += frame
                if number not in direct:
                    peers[number].write(frame)
        ring.send(parcels)
        for one in peers:
            if chance.random() < 0.5:
                one.take()
            if chance.random() < 0.3:
                one.drain()
    for one, all_of_it in zip(peers, wanted, strict=True):
        one.drain()
        assert one.read == bytes(all_of_it)
        one.close()
    ring.close()


def test_a_socket_for_which_there_is_no_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "_MOST_FILES", 1)
    ring = Ring()
    first = Peer(ring)
    with socket.socket() as another:
        with pytest.raises(OSError, match="no place left"):
            ring.add(another.fileno(), lambda _data: None)
        first.close()
        ring.remove(ring.add(another.fileno(), lambda _data: None))
    ring.close()
