"""Getting in: tickets, bearer tokens and origins, over real sockets."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.support.client import FULL, Client, connected, join, knock, opened
from tests.support.fixtures import StartServer
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio


async def test_a_login_gives_a_ticket_that_opens_a_socket(server: Server) -> None:
    answer = await server.request("POST", "/login", None, {"username": "olga", "password": PASSWORD})
    assert answer.status_code == 200
    assert list(answer.json()) == ["otp"]
    async with opened(f"{server.socket_url}?otp={answer.json()['otp']}", subprotocols=[FULL]) as socket:
        client = Client(socket)
        welcome = await client.until("welcome")
    assert (welcome["user"], welcome["role"]) == ("olga", "owner")


async def test_a_ticket_opens_one_socket_only(server: Server) -> None:
    url = f"{server.socket_url}?otp={await server.ticket(server.person())}"
    async with opened(url):
        assert await knock(url) == 401
    assert await knock(url) == 401


async def test_of_many_sockets_that_race_with_one_ticket_one_gets_in(server: Server) -> None:
    url = f"{server.socket_url}?otp={await server.ticket(server.person())}"
    ready = asyncio.Barrier(30)

    async def race() -> int:
        await ready.wait()
        return await knock(url)

    assert sorted(await asyncio.gather(*(race() for _ in range(30)))) == [101] + 29 * [401]


async def test_a_ticket_that_is_too_old_opens_nothing(start_server: StartServer) -> None:
    server = start_server(ticket_seconds=0)
    assert await knock(f"{server.socket_url}?otp={await server.ticket(server.person())}") == 401


@pytest.mark.parametrize("query", ["", "?otp=", "?otp=made-up", "?OTP=x", "?" + 30 * "a=b&", "?otp=%ff%00"])
async def test_without_a_good_ticket_nobody_gets_in(server: Server, query: str) -> None:
    assert await knock(server.socket_url + query) == 401


async def test_a_ticket_is_found_among_many_other_fields(server: Server) -> None:
    ticket = await server.ticket(server.person())
    async with opened(f"{server.socket_url}?{'a=b&' * 30}otp={ticket}") as socket:
        assert await (await socket.ping()) >= 0


async def test_who_has_no_ticket_is_told_what_to_come_with(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with opened(server.socket_url):
            pass
    answer = refusal.value.response
    assert answer.body == b"Come with a fresh ticket, or a bearer token.\n"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_ticket_may_travel_as_a_subprotocol_and_is_not_sent_back(server: Server) -> None:
    ticket = await server.ticket(server.person())
    offered = [FULL, Subprotocol(f"ticket.{ticket}")]
    async with opened(server.socket_url, subprotocols=offered) as socket:
        assert socket.subprotocol == FULL
        assert socket.response is not None
        assert ticket not in str(socket.response.headers)
    assert await knock(server.socket_url, subprotocols=offered) == 401


async def test_a_ticket_as_a_subprotocol_alone_opens_the_basic_profile(server: Server) -> None:
    offered = [Subprotocol(f"ticket.{await server.ticket(server.person())}")]
    async with opened(server.socket_url, subprotocols=offered) as socket:
        assert socket.subprotocol is None
        await socket.send(json.dumps({"type": "send_message", "payload": {"message": "hi", "from": "x"}}))
        assert json.loads(await socket.recv())["type"] == "new_message"


async def test_no_secret_and_no_message_is_in_any_line_of_the_log(start_server: StartServer) -> None:
    server = start_server(log_level="debug")
    person = server.person()
    by_url, by_protocol, unused = [await server.ticket(person) for _ in range(3)]
    async with server.browser() as browser:
        in_cookie = await browser.post("/login", json={"username": "peter", "password": PASSWORD})
        wrong = await browser.post("/login", json={"username": "peter", "password": "canary password"})
        cookie = browser.cookies["hubbub_session"]
    assert (in_cookie.status_code, wrong.status_code) == (200, 401)
    for _ in range(2):
        async with opened(f"{server.socket_url}?otp={by_url}", subprotocols=[FULL]) as socket:
            client = Client(socket, person.name)
            await client.enter("general")
            await client.say("general", "canary message")
            await client.socket.send('{"type": "send_message", "payload": "canary payload"}')
            await client.socket.send("canary frame")
            await client.fence()
        by_url = await server.ticket(person)
    offered = [FULL, Subprotocol(f"ticket.{by_protocol}")]
    async with opened(server.socket_url, subprotocols=offered):
        assert await knock(server.socket_url, subprotocols=offered) == 401
    foreign = Origin("https://evil.test")
    assert await knock(f"{server.socket_url}?otp={unused}", origin=foreign) == 403
    assert await knock(f"{server.socket_url}/canary?otp={unused}") == 404
    for path in (f"/nowhere?otp={unused}", f"/api/rooms/no?otp={unused}", f"/ws?otp={unused}"):
        assert (await server.request("GET", path, person)).status_code in (404, 426)
    server.stop()
    secrets = [by_url, by_protocol, unused, person.token, cookie, in_cookie.json()["otp"], PASSWORD]
    said = "\n".join([server.log, *server.banner])
    assert [secret for secret in [*secrets, "canary"] if secret in said] == []


def _origins(port: int) -> dict[str | None, bool]:
    own = f"http://127.0.0.1:{port}"
    return {
        None: True,
        own: True,
        own.upper(): True,
        "https://chat.example.org": True,
        "http://chat.example.org": False,
        "https://chat.example.org:8443": False,
        "https://evil.test": False,
        f"http://localhost:{port}": False,
        f"{own}.evil.test": False,
        f"http://evil.test/{own}": False,
        f"http://127.0.0.1:{port + 1 if port < 65535 else 1}": False,
        "null": False,
        "": False,
    }


async def test_only_our_own_pages_and_those_allowed_may_talk_to_us(start_server: StartServer) -> None:
    server = start_server("--allow-origin", "https://chat.example.org")
    person = server.person()
    answers: dict[str | None, int] = {}
    for origin in _origins(server.port):
        url = f"{server.socket_url}?otp={await server.ticket(person)}"
        headers = {} if origin is None else {"Origin": origin}
        answers[origin] = await knock(url, additional_headers=headers)
        # A page that may not talk to us uses up nobody's ticket.
        assert await knock(url) == (101 if answers[origin] == 403 else 401)
    assert answers == {origin: 101 if good else 403 for origin, good in _origins(server.port).items()}


async def test_two_origins_are_none(server: Server) -> None:
    headers = [("Origin", server.url), ("Origin", server.url)]
    url = f"{server.socket_url}?otp={await server.ticket(server.person())}"
    assert await knock(url, additional_headers=headers) == 403


async def test_a_foreign_page_does_not_get_in_by_bearer_token_either(server: Server) -> None:
    person = server.person()
    foreign = person.bearer | {"Origin": "https://evil.test"}
    assert await knock(server.socket_url, additional_headers=foreign) == 403


async def test_a_bearer_token_opens_sockets_without_a_ticket(server: Server) -> None:
    person = server.person()
    async with join(server, person) as first, join(server, person) as second:
        assert (first.welcome["user"], second.welcome["user"]) == (person.name, person.name)


@pytest.mark.parametrize(
    "value", ["Bearer made-up", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "Bearer hub_ä"]
)
async def test_a_bad_bearer_token_opens_nothing(server: Server, value: str) -> None:
    assert await knock(server.socket_url, additional_headers={"Authorization": value}) == 401


async def test_a_bad_ticket_is_not_helped_by_a_good_token(server: Server) -> None:
    person = server.person()
    assert await knock(f"{server.socket_url}?otp=x", additional_headers=person.bearer) == 401


async def test_tickets_are_not_for_those_who_are_not_in(server: Server) -> None:
    answer = await server.request("POST", "/ticket")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_ending_a_session_closes_its_sockets_and_no_other(server: Server) -> None:
    async with server.browser() as here, server.browser() as there:
        sockets = []
        for browser in (here, there):
            answer = await browser.post("/login", json={"username": "peter", "password": PASSWORD})
            url = f"{server.socket_url}?otp={answer.json()['otp']}"
            sockets.append(Client(await opened(url, subprotocols=[FULL]), "peter"))
        unused = (await here.post("/ticket")).json()["otp"]
        await here.post("/logout")
        assert await sockets[0].closed() == (4401, "session ended")
        assert await knock(f"{server.socket_url}?otp={unused}") == 401
        await sockets[1].fence()
        await sockets[1].close()


async def test_disabling_somebody_closes_their_sockets_at_once(server: Server) -> None:
    person = server.person()
    socket = await connected(server, person)
    async with server.browser() as browser:
        await browser.post("/login", json={"username": "olga", "password": PASSWORD})
        answer = await browser.patch(f"/api/users/{person.name}", json={"disabled": True})
    assert answer.status_code == 200
    assert await socket.closed() == (4401, "session ended")
    assert await knock(server.socket_url, additional_headers=person.bearer) == 401


async def test_the_socket_is_at_its_own_path_only(server: Server) -> None:
    person = server.person()
    for path in ("/", "/ws/", "/ws2", "/login", "//ws", "/%77s"):
        url = server.socket_url.removesuffix("/ws") + path
        assert await knock(url, additional_headers=person.bearer) == 404
