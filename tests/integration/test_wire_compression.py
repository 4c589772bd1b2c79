"""permessage-deflate (RFC 7692): agreed on where the same bytes may go to everyone, and bounded before it is inflated."""

from __future__ import annotations

import json
import zlib

import pytest

from tests.support.client import connected, join
from tests.support.fixtures import StartServer
from tests.support.raw import CLOSE, CONT, TEXT, Raw, event, frame, handshake, raw
from tests.support.server import Server

pytestmark = pytest.mark.asyncio

RSV1 = 4
OFFER = "permessage-deflate; client_max_window_bits"
AGREED = "permessage-deflate; client_no_context_takeover"


def _deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


async def _answered(server: Server, socket: Raw, offer: str) -> str | None:
    known = server.known("ada-0").bearer
    await socket.send(
        handshake(server, **known, Sec_WebSocket_Protocol="hubbub.v1", Sec_WebSocket_Extensions=offer)
    )
    answer = await socket.answer()
    assert answer.status == 101
    return answer.headers.get("sec-websocket-extensions")


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (OFFER, AGREED),
        ("permessage-deflate", AGREED),
        ("permessage-deflate; client_no_context_takeover", AGREED),
        ("permessage-deflate; server_max_window_bits=15", f"{AGREED}; server_max_window_bits=15"),
        # To these the bytes that go to everyone would mean nothing.
        ("permessage-deflate; server_no_context_takeover", None),
        ("permessage-deflate; server_max_window_bits=10", None),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", AGREED),
        ("permessage-deflate; surprise", None),
        ("x-webkit-deflate-frame", None),
    ],
)
async def test_an_offer_is_taken_or_left(server: Server, offer: str, answer: str | None) -> None:
    async with raw(server) as socket:
        found = await _answered(server, socket, offer)
        assert (found and set(found.split("; "))) == (answer and set(answer.split("; ")))


async def test_it_can_be_turned_off(start_server: StartServer) -> None:
    server = start_server(compression="false")
    async with raw(server) as socket:
        assert await _answered(server, socket, OFFER) is None
        await socket.heard("welcome")


async def test_who_inflates_and_who_does_not_hear_the_same(server: Server) -> None:
    room, (ada, bob, cleo) = server.room(), server.people(3)
    async with (
        join(server, ada) as speaker,
        await connected(server, bob, compression="deflate") as inflating,
        join(server, cleo) as plain,
    ):
        assert [str(extension)[:17] for extension in inflating.socket.protocol.extensions] == [
            "PerMessageDeflate"
        ]
        for client in (speaker, inflating, plain):
            await client.enter(room)
        refs = [
            await speaker.send("send_message", room=room, id=f"{n}", message=f"Message {n} of many. " * 9)
            for n in range(50)
        ]
        for ref in refs:
            await speaker.answer(ref)
        heard = [
            [await client.until("new_message", id=str(number)) for number in range(50)]
            for client in (inflating, plain)
        ]
        assert heard[0] == heard[1]
        # What is long for one alone comes compressed too: the last messages when entering.
        assert (await inflating.enter(room))["messages"] == (await plain.enter(room))["messages"]
        await inflating.say(room, "Said compressed. " * 100)
        await plain.until("new_message", message="Said compressed. " * 100)


async def test_what_goes_out_is_a_quarter_of_what_it_was(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        for number in range(40):
            await client.say(room, f"A message as people write them, the {number}th of its kind.")
    async with raw(server) as socket:
        await _answered(server, socket, OFFER)
        await socket.until(TEXT)  # the welcome
        await socket.send(frame(TEXT, event("enter", room=room)))
        while (found := await socket.until(TEXT)).rsv == 0:
            pass  # shorter news
        text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(found.payload + b"\x00\x00\xff\xff")
        assert json.loads(text)["type"] == "entered"
        assert len(text) > 4 * len(found.payload)


@pytest.mark.parametrize("chop", [0, 1, 7])
async def test_compressed_messages_are_read_whole_in_pieces_and_in_fragments(
    server: Server, chop: int
) -> None:
    room = server.room()
    async with raw(server) as socket:
        await _answered(server, socket, OFFER)
        texts = [event("enter", room=room), *(event("nothing", n=n, padded_to=300) for n in range(3))]
        whole = b"".join(frame(TEXT, _deflated(text), rsv=RSV1) for text in texts)
        data = _deflated(event("nothing", n=3))
        fragments = frame(TEXT, data[:9], fin=False, rsv=RSV1) + frame(CONT, data[9:])
        await socket.send(whole + fragments + frame(TEXT, event("nothing", n=4)) + whole, chop=chop)
        count = 0
        while count < 8:
            found = await socket.until(TEXT)
            text = found.payload
            if found.rsv:
                text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(text + b"\x00\x00\xff\xff")
            count += json.loads(text)["type"] == "error"


@pytest.mark.parametrize("split", [False, True])
async def test_a_bomb_is_refused_before_it_is_inflated(start_server: StartServer, split: bool) -> None:
    server = start_server(read_limit_bytes=10_000)
    bomb = _deflated(b" " * 20_000_000)
    fits = event("nothing", padded_to=10_000)
    async with raw(server) as socket, join(server, server.person()) as bystander:
        await _answered(server, socket, OFFER)
        await socket.send(frame(TEXT, _deflated(fits), rsv=RSV1))
        assert (await socket.event_until("error"))["code"] == "unknown_type"
        parts = [frame(TEXT, bomb[:5000], fin=not split, rsv=RSV1), frame(CONT, bomb[5000:9000])]
        await socket.send(b"".join(parts if split else parts[:1]))
        assert (await socket.until(CLOSE)).close[0] == 1009
        await bystander.enter("general")


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"\xff\xff\xff\xff", rsv=RSV1),
        frame(TEXT, _deflated(event("nothing"))[:-3] + b"\x07\x07\x07", rsv=RSV1),
        frame(TEXT, b"plain", rsv=2),
        frame(CONT, b"alone", rsv=RSV1),
    ],
    ids=["noise", "damaged", "another bit", "a continuation"],
)
async def test_what_is_damaged_ends_that_connection_alone(server: Server, data: bytes) -> None:
    async with raw(server) as socket, join(server, server.person()) as bystander:
        await _answered(server, socket, OFFER)
        await socket.send(data)
        assert (await socket.until(CLOSE)).close[0] in (1002, 1007)
        await bystander.enter("general")


async def test_not_agreed_on_it_may_not_be_used(server: Server) -> None:
    async with raw(server) as socket:
        assert await _answered(server, socket, "x-unknown") is None
        await socket.send(frame(TEXT, _deflated(event("nothing")), rsv=RSV1))
        assert (await socket.until(CLOSE)).close[0] == 1002
