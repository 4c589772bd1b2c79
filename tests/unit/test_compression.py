"""Compressed frames that are shared: each batch means the same to whoever gets it, whatever they had before."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from hubbub import frames
from hubbub.compression import SHORTEST, Deflater
from hubbub.outgoing import Outgoing, Ways
from tests.unit.test_room import Ear

_TAIL = b"\x00\x00\xff\xff"

batches = st.lists(
    st.lists(st.binary(max_size=2000) | st.text(max_size=400).map(str.encode), min_size=1, max_size=8),
    min_size=1,
    max_size=6,
)


class Reader:
    """The other side, as RFC 7692 describes it: it keeps what it inflated."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, joined: bytes) -> list[bytes]:
        """The payloads of frames, plain and compressed."""
        found = []
        position = 0
        for payload in frames.payloads(joined):
            first = joined[position]
            position += len(payload) + (2 if len(payload) < 126 else 4 if len(payload) < 65_536 else 10)
            assert first in (0x81, 0xC1)
            found.append(self._zlib.decompress(payload + _TAIL) if first == 0xC1 else payload)
        return found


def joined(batch: list[bytes]) -> bytes:
    return b"".join(frames.text(payload) for payload in batch)


@given(batches)
def test_one_who_had_every_batch_and_one_who_had_none_read_the_same(found: list[list[bytes]]) -> None:
    deflater, had_all = Deflater(), Reader()
    for batch in found:
        sent = deflater.deflated(joined(batch))
        assert had_all.read(sent) == batch
        assert Reader().read(sent) == batch


def test_a_batch_of_like_messages_takes_a_quarter() -> None:
    batch = [b'{"type":"new_message","payload":{"room":"general","seq":%d}}' % seq for seq in range(100)]
    assert len(Deflater().deflated(joined(batch))) * 4 < len(joined(batch))


def test_what_is_short_stays_as_it_is() -> None:
    short = frames.text(b"x" * (SHORTEST - 5))
    assert Deflater().deflated(short) is short


def test_each_reader_gets_what_it_takes_and_short_frames_go_to_all_alike() -> None:
    plain, inflating = Ear("ada"), Ear("bob")
    inflating.inflates = True
    heard: dict[str, list[bytes]] = {"ada": [], "bob": []}

    def hear(name: str) -> Callable[[bytes], object]:
        return heard[name].append

    plain.write, inflating.write = hear("ada"), hear("bob")
    outgoing = Outgoing()
    long, short = frames.text(b"long " * 500), frames.text(b"short")
    for frame in (long, short):
        outgoing.add(Ways([plain, inflating]), frame)
        outgoing.add(Ways([inflating]), frame)
        outgoing.add(Ways([plain]), frame)
    outgoing.send()
    assert heard["ada"] == [long, long, short, short]
    assert [Reader().read(data) for data in heard["bob"]] == [[b"long " * 500]] * 2 + [[b"short"]] * 2
    assert len(heard["bob"][0]) < 100
