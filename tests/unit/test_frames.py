"""Finished frames, against the parser of another's library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, Protocol

from hubbub import frames


def parsed(data: bytes) -> list[Frame]:
    """What a client's parser makes of bytes from a server."""
    core = Protocol(CLIENT, max_size=None)
    core.receive_data(data)
    assert core.parser_exc is None
    return [event for event in core.events_received() if isinstance(event, Frame)]


@pytest.mark.parametrize("length", [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 1_000_000])
def test_a_text_frame_reads_as_one_whole_text_frame_at_each_length_of_its_head(length: int) -> None:
    payload = (b"0123456789" * (length // 10 + 1))[:length]
    assert parsed(frames.text(payload)) == [Frame(Opcode.TEXT, payload, fin=True)]


@pytest.mark.parametrize(("length", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)], ids=str)
def test_the_head_is_as_short_as_the_standard_asks(length: int, head: int) -> None:
    assert len(frames.text(bytes(length))) == head + length


def test_the_ping_reads_as_an_empty_ping() -> None:
    assert parsed(frames.PING) == [Frame(Opcode.PING, b"", fin=True)]


@given(st.lists(st.binary(max_size=300) | st.sampled_from([bytes(65_535), bytes(65_536), bytes(70_000)])))
def test_taking_joined_frames_apart_gives_what_was_framed(payloads: list[bytes]) -> None:
    joined = b"".join(frames.text(payload) for payload in payloads)
    assert list(frames.payloads(joined)) == payloads


@given(st.lists(st.binary(max_size=300)))
def test_joined_frames_read_as_the_same_frames_one_after_another(payloads: list[bytes]) -> None:
    joined = b"".join(frames.text(payload) for payload in payloads)
    assert [frame.data for frame in parsed(joined)] == payloads
