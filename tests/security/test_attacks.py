"""Attacks on a real server that need more than one request. SECURITY.md names the test of each threat."""

from __future__ import annotations

import json
import socket

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.client import connected
from tests.support.raw import handshake, raw
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio


async def cookie_of(server: Server, name: str = "olga", before: str = "") -> str:
    """The session's cookie after a login in a browser that had the cookie `before`."""
    headers = {"cookie": f"hubbub_session={before}"} if before else {}
    async with server.browser() as browser:
        answer = await browser.post("/login", json={"username": name, "password": PASSWORD}, headers=headers)
        assert answer.status_code == 200
        return str(answer.cookies["hubbub_session"])


# --- cross-site socket hijacking (OWASP, WebSocket Security)


@pytest.mark.parametrize("origin", [None, "https://evil.test", "null", "own"])
async def test_the_cookie_of_one_who_is_in_opens_no_socket_whoevers_page_asks(
    server: Server, origin: str | None
) -> None:
    cookie = await cookie_of(server)
    async with raw(server) as opened:
        own = f"http://127.0.0.1:{server.port}"
        await opened.send(
            handshake(server, Cookie=f"hubbub_session={cookie}", Origin=own if origin == "own" else origin)
        )
        assert (await opened.answer()).status in (401, 403)


async def test_no_page_of_another_site_can_fetch_a_ticket_or_read_it(server: Server) -> None:
    cookie = await cookie_of(server)
    answer = await server.request(
        "POST", "/ticket", cookie=f"hubbub_session={cookie}", origin="https://evil.test"
    )
    assert answer.status_code == 403
    assert "otp" not in answer.text
    async with server.browser() as browser:
        asked = {"access-control-request-method": "POST", "origin": "https://evil.test"}
        answer = await browser.options("/ticket", headers=asked)
    assert "access-control-allow-origin" not in answer.headers


# --- session fixation (OWASP, Session Management)


async def test_a_cookie_that_was_planted_before_the_login_is_worth_nothing_after_it(server: Server) -> None:
    planted = "planted-by-somebody-else"
    given = await cookie_of(server, before=planted)
    assert given != planted
    answer = await server.request("GET", "/api/me", cookie=f"hubbub_session={planted}")
    assert answer.status_code == 401


async def test_the_cookie_of_an_own_session_that_was_planted_leads_neither_into_the_others_account_nor_anywhere(
    server: Server,
) -> None:
    planted = await cookie_of(server, "peter")
    await cookie_of(server, "olga", before=planted)
    assert (await server.request("GET", "/api/me", cookie=f"hubbub_session={planted}")).status_code == 401


async def test_no_cookie_and_no_ticket_is_taken_from_an_address(server: Server) -> None:
    cookie = await cookie_of(server)
    for query in (f"hubbub_session={cookie}", f"token={cookie}", f"otp={cookie}", f"access_token={cookie}"):
        assert (await server.request("GET", f"/api/me?{query}")).status_code == 401


# --- a change of rights takes effect on what is open at once


@pytest.mark.parametrize("change", [{"role": "admin"}, {"role": "bot"}, {"disabled": True}])
async def test_a_change_of_rights_closes_the_sockets_that_were_opened_before_it(
    server: Server, change: dict[str, object]
) -> None:
    person = server.person()
    client = await connected(server, person)
    olga = await server.log_in("olga")
    await server.call(olga, "PATCH", f"/api/users/{person.name}", change)
    assert await client.closed() == (4401, "session ended")


async def test_a_removal_from_a_room_takes_effect_on_the_next_message(server: Server) -> None:
    olga, person, room = await server.log_in("olga"), server.person(), server.room("cellar")
    await server.call(olga, "POST", "/api/rooms", {"name": room, "kind": "private"})
    await server.call(olga, "POST", f"/api/rooms/{room}/members", {"user": person.name})
    member, owner = await connected(server, person), await connected(server, olga)
    await member.enter(room)
    await owner.enter(room)
    await server.call(olga, "DELETE", f"/api/rooms/{room}/members/{person.name}")
    await owner.say(room, "now that they are gone")
    await member.fence()
    assert "now that they are gone" not in repr(member.heard)
    for client in (member, owner):
        await client.close()


# --- leaking: what could carry a secret away


@pytest.mark.parametrize("start", ["GET /ws?otp=made-up HTTP/1.1", "GET /login?otp=made-up HTTP/1.1"])
async def test_an_address_with_a_ticket_is_passed_on_to_nobody_as_a_referrer(
    server: Server, start: str
) -> None:
    async with raw(server) as opened:
        await opened.send(handshake(server, start=start))
        answer = await opened.answer()
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b"made-up" not in answer.body


async def test_what_has_a_secret_in_it_is_kept_by_no_cache_and_in_no_history(server: Server) -> None:
    async with server.browser() as browser:
        login = await browser.post("/login", json={"username": "olga", "password": PASSWORD})
        ticket = await browser.post("/ticket")
        invitation = await browser.post("/api/invitations", json={})
    for answer in (login, ticket, invitation):
        assert answer.headers["cache-control"] == "no-store"
    # In the fragment, which no browser sends.
    assert "#" in invitation.json()["link"]
    assert "?" not in invitation.json()["link"]


# --- splitting: one request or answer that passes for two


@pytest.mark.parametrize(
    "request_",
    [
        "GET /api/me HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        "GET /api/me HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        "GET /api/me HTTP/1.1\r\nHost : x\r\n\r\n",
    ],
)
async def test_a_request_whose_end_is_not_plain_is_refused_and_nothing_after_it_is_read(
    server: Server, request_: str
) -> None:
    smuggled = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n"
    async with raw(server) as opened:
        await opened.send((request_ + smuggled).encode())
        answered = await opened.ended()
    assert answered.count(b"HTTP/1.1 200") == 0, answered


@pytest.mark.parametrize(
    "path", ["/%0d%0aSet-Cookie:%20evil=1", "/rooms/%0d%0aSet-Cookie:%20evil=1", "/-/%0d%0aX:y"]
)
async def test_the_end_of_a_line_in_an_address_ends_no_header(server: Server, path: str) -> None:
    answer = await server.request("GET", path)
    assert "set-cookie" not in answer.headers
    assert "x" not in answer.headers


# --- what is slow or large before anybody is in


async def test_who_sends_a_head_a_byte_at_a_time_is_ended_and_others_are_served_meanwhile(
    start_server: object,
) -> None:
    assert callable(start_server)
    server: Server = start_server(handshake_seconds=0.3)
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for slow in held:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    assert (await server.request("GET", "/healthz")).status_code == 200
    for slow in held:
        async with raw(server):
            slow.settimeout(30)
            assert slow.recv(64).startswith(b"HTTP/1.1 408")
        slow.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\n" + "".join(f"X-{n}: y\r\n" for n in range(200)), 431),
        ("GET / HTTP/1.1\r\nX: " + "y" * 40_000 + "\r\n", 431),
        ("GET /" + "y" * 40_000 + " HTTP/1.1\r\n", 431),
    ],
)
async def test_a_head_that_is_too_large_is_refused(server: Server, head: str, status: int) -> None:
    async with raw(server) as opened:
        await opened.send((head + "Host: x\r\n\r\n").encode())
        assert (await opened.answer()).status == status


# --- lines of tables: CSV, and the log


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "a,b", 'a"b', "a\nb", "a;b", "\ta"])
async def test_nobody_has_a_name_that_a_spreadsheet_takes_for_a_formula_or_two_cells(
    server: Server, name: str
) -> None:
    olga = await server.log_in("olga")
    link = (await server.call(olga, "POST", "/api/invitations", {}))["link"]
    body = {"token": link.rpartition("#")[2], "username": name, "password": PASSWORD}
    answer = await server.request("POST", "/invite", body=body)
    assert (answer.status_code, answer.json()["field"]) == (400, "name")


async def test_nothing_that_a_stranger_sends_makes_a_line_of_its_own_in_the_log(server: Server) -> None:
    evil = '%0a{"level":"error","event":"forged"}'
    said = {"user-agent": "\x1b[31mforged", "x-forwarded-for": "forged"}
    async with server.browser() as browser:
        for path in (f"/{evil}", f"/api/{evil}", f"/ws?otp={evil}"):
            await browser.get(path, headers=said)
    person = server.person()
    client = await connected(server, person)
    assert isinstance(client.socket, ClientConnection)
    await client.socket.send('{"type":"\\n{\\"level\\":\\"error\\"}forged","payload":{}}')
    await client.fence()
    await client.close()
    assert "forged" not in server.log
    assert all(isinstance(json.loads(line), dict) for line in server.log.splitlines())
