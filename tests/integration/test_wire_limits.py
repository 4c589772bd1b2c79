"""Limits: each refuses with a clear answer and no close, each is by user or address, and 0 turns it off."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.client import FULL, Client, RefusedByServer, connected, join, knock, opened
from tests.support.fixtures import StartServer
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio

ONCE_A_DAY = 1 / 86_400


async def _refusal(client: Client, type_: str, **payload: object) -> RefusedByServer:
    with pytest.raises(RefusedByServer) as refused:
        await client.ask(type_, **payload)
    return refused.value


async def test_a_connection_may_be_in_two_hundred_rooms(start_server: StartServer) -> None:
    server = start_server(limit_rooms=0)
    async with join(server, server.person()) as client:
        rooms = [f"room {number}" for number in range(200)]
        refs = [await client.send("enter", room=room) for room in rooms]
        assert [(await client.answer(ref))["room"] for ref in refs] == rooms
        refusal = await _refusal(client, "enter", room="one more")
        assert refusal.event.payload == {
            "code": "too_many_rooms",
            "message": "A connection may be in 200 rooms at once.",
            "retry": False,
            "room": "one more",
        }
        await client.say(rooms[-1], "still here")


async def test_the_number_of_rooms_is_a_setting_and_leaving_one_makes_place(
    start_server: StartServer,
) -> None:
    server = start_server(rooms_per_connection=2)
    person = server.person()
    async with join(server, person) as client, join(server, person) as another:
        await client.enter("one")
        await client.enter("two")
        assert (await _refusal(client, "enter", room="three")).code == "too_many_rooms"
        await client.enter("two")
        await another.enter("three")
        await client.ask("exit", room="one")
        await client.enter("three")


async def test_messages_are_limited_by_user_and_refused_with_a_time_to_come_back(
    start_server: StartServer,
) -> None:
    server = start_server(limit_messages=ONCE_A_DAY, limit_messages_burst=3)
    ada, bob = server.people(2)
    async with join(server, ada) as a, join(server, ada) as also_a, join(server, bob) as b:
        for client in (a, also_a, b):
            await client.enter("general")
        seq = (await a.say("general", "one"))["seq"]
        await also_a.say("general", "two")
        await a.ask("edit_message", room="general", seq=seq, message="won")
        refusal = await _refusal(a, "send_message", room="general", id="late", message="three")
        error = refusal.event.payload
        assert (error["code"], error["retry"], error["room"], error["id"]) == (
            "rate_limited",
            True,
            "general",
            "late",
        )
        assert 0 < error["retry_after"] <= 86_400
        for type_, more in (
            ("edit_message", {"message": "x"}),
            ("delete_message", {}),
            ("react", {"emoji": "x"}),
        ):
            refusal = await _refusal(also_a, type_, room="general", seq=seq, **more)
            assert refusal.code == "rate_limited", type_
        await b.say("general", "others may")
        assert await a.unread("new_message", message="others may") != []


async def test_who_is_too_fast_gets_everything_through_by_trying_again(start_server: StartServer) -> None:
    server = start_server(limit_messages=1000, limit_messages_burst=5)
    async with join(server, server.person()) as client:
        await client.enter("general")
        left = [str(number) for number in range(20)]
        refusals: list[str] = []
        while left:
            refs = {
                text: await client.send("send_message", room="general", id=text, message=text)
                for text in left
            }
            left = []
            for text, ref in refs.items():
                try:
                    await client.answer(ref)
                except RefusedByServer as refused:
                    refusals.append(refused.code)
                    left.append(text)
    assert set(refusals) == {"rate_limited"}
    texts = [entry["message"] for entry in server.entries("general") if entry["type"] == "new_message"]
    assert sorted(texts, key=int) == [str(number) for number in range(20)]


async def test_limits_of_zero_are_none(start_server: StartServer) -> None:
    names = ("messages", "connections", "address", "enters", "rooms", "logins", "tickets")
    server = start_server(**{f"limit_{name}": 0 for name in names})
    person = server.person()
    clients = [await connected(server, person) for _ in range(60)]
    async with join(server, person) as client:
        for number in range(150):
            await client.send("enter", room=f"room {number}")
            await client.send("exit", room=f"room {number}")
        await client.enter("general")
        for number in range(1500):
            await client.send("send_message", room="general", id=str(number), message="x")
        await client.until("new_message", id="1499")
        assert [event for event in client.heard if event.type == "error"] == []
    for client in clients:
        await client.close()
    for _ in range(120):
        await server.ticket(person)
    wrong = {"username": "olga", "password": "wrong wrong"}
    statuses = [(await server.request("POST", "/login", None, wrong)).status_code for _ in range(15)]
    assert statuses == 15 * [401]


async def test_a_user_has_so_many_connections(start_server: StartServer) -> None:
    server = start_server(limit_connections=2)
    ada, bob = server.people(2)
    first, second = await connected(server, ada), await connected(server, ada)
    with pytest.raises(InvalidStatus) as refused:
        await connected(server, ada)
    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    assert answer.body == b"You have too many connections open.\n"
    async with join(server, bob):
        await first.close()
    async with join(server, ada):
        await second.fence()
    await second.close()


async def test_an_address_has_so_many_connections(start_server: StartServer) -> None:
    server = start_server(limit_address=2)
    people = server.people(3)
    clients = [await connected(server, person) for person in people[:2]]
    assert await knock(server.socket_url, additional_headers=people[2].bearer) == 429
    url = f"{server.socket_url}?otp={await server.ticket(people[2])}"
    assert await knock(url) == 429
    await clients[0].close()
    assert await knock(url) == 101  # and the ticket was kept meanwhile
    await clients[1].close()


async def test_an_open_request_that_was_refused_does_not_count_as_a_connection(
    start_server: StartServer,
) -> None:
    server = start_server(limit_address=2)
    for _ in range(10):
        assert await knock(f"{server.socket_url}?otp=x") == 401
        assert await knock(server.socket_url, additional_headers={"Authorization": "Bearer x"}) == 401
    async with join(server, server.person()), join(server, server.person()):
        pass


async def test_entering_rooms_is_limited_by_user(start_server: StartServer) -> None:
    server = start_server(limit_enters=ONCE_A_DAY)
    ada, bob = server.people(2)
    async with join(server, ada) as a, join(server, ada) as also_a, join(server, bob) as b:
        await a.enter("general")
        refusal = await _refusal(also_a, "enter", room="general")
        assert (refusal.code, refusal.event["retry"], refusal.event["room"]) == (
            "rate_limited",
            True,
            "general",
        )
        await b.enter("general")
        await a.say("general", "still here")


async def test_making_rooms_is_limited_by_user_and_finding_them_is_not(start_server: StartServer) -> None:
    server = start_server(limit_rooms=2)
    ada, bob = server.people(2)
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter("one")
        await server.call(ada, "POST", "/api/rooms", {"name": "two"})
        refusal = await _refusal(a, "enter", room="three")
        assert (refusal.code, refusal.event["message"]) == (
            "rate_limited",
            "You have made many rooms. Wait a while.",
        )
        answer = await server.request("POST", "/api/rooms", ada, {"name": "three"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer.headers["Retry-After"]) > 0
        await b.enter("three")
        await a.enter("three")


async def test_tickets_are_limited_by_who_asks(start_server: StartServer) -> None:
    server = start_server(limit_tickets=ONCE_A_DAY)
    ada, bob = server.people(2)
    await server.ticket(ada)
    answer = await server.request("POST", "/ticket", ada)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0
    assert await knock(f"{server.socket_url}?otp={await server.ticket(bob)}") == 101


async def test_wrong_passwords_are_limited_and_the_right_one_does_not_help(start_server: StartServer) -> None:
    server = start_server(limit_logins=3)
    wrong, right = ({"username": "olga", "password": password} for password in ("wrong password", PASSWORD))
    statuses = [(await server.request("POST", "/login", None, wrong)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    answer = await server.request("POST", "/login", None, right)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0
    others = {"username": "peter", "password": PASSWORD}
    assert (await server.request("POST", "/login", None, others)).status_code == 200


async def test_who_goes_on_with_nonsense_for_long_is_closed_and_nobody_else(server: Server) -> None:
    ada, bob = server.people(2)
    async with join(server, bob) as b, join(server, ada) as also_a:
        socket = await opened(server.socket_url, subprotocols=[FULL], additional_headers=ada.bearer)
        client = Client(socket, ada.name)

        async def flood() -> None:
            for _ in range(5000):
                await socket.send("nonsense")

        sending = asyncio.create_task(flood())
        assert await client.closed() == (1008, "too many refused frames")
        await asyncio.wait([sending])
        sending.exception()
        await b.fence()
        await also_a.fence()
