"""Who may open a WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from hubbub.errors import Refused
from hubbub.hub import Hub
from hubbub.settings import Settings
from hubbub.tickets import Identity, Tickets
from hubbub.transport.door import Door, Knock, full_profile
from tests.chat_world import a_chat
from tests.fakes import FakeClock, FakeTransport

ADA = Identity(1, "ada", "", "member", session_id=1)
BOT = Identity(2, "bot", "", "bot", token_id=1)


class StubHub:
    """A hub as far as the door looks at it."""

    def __init__(self) -> None:
        self.accepting = True
        self.open: dict[int, int] = {}

    def connections_of(self, user_id: int) -> int:
        return self.open.get(user_id, 0)


class Porch:
    """A door, and what stands around it."""

    def __init__(self, **changes: Any) -> None:
        self.hub = StubHub()
        self.clock = FakeClock()
        self.tickets = Tickets(self.clock, 5.0)
        self.asked: list[str] = []
        settings = msgspec.structs.replace(Settings(), **changes)
        self.door = Door(settings, cast(Hub, self.hub), self.tickets, self._by_token)

    async def _by_token(self, token: str) -> Identity | None:
        self.asked.append(token)
        return BOT if token == "right" else None

    async def who(self, knock: Knock) -> Identity | None:
        """Who knocks."""
        found = self.door.identify(knock)
        return await found if isinstance(found, Awaitable) else found

    def refusal(self, knock: Knock) -> str | None:
        """The code with which a knock is refused at the first look, or None."""
        try:
            self.door.look(knock)
        except Refused as refused:
            return refused.refusal.code
        return None


def a_knock(
    target: str = "/ws", peer: str = "192.0.2.1", *, tls: bool = False, **headers: str | list[str]
) -> Knock:
    """A request with these headers: `x_y` is `x-y`."""
    lines = {
        name.replace("_", "-"): value if isinstance(value, list) else [value]
        for name, value in {"host": "chat.test", **headers}.items()
    }
    return Knock(target, lambda name: lines.get(name, []), peer, tls)


# --- the first look


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/ws", None),
        ("/ws?otp=x", None),
        ("/", "not_found"),
        ("/ws/", "not_found"),
        ("/WS", "not_found"),
        ("/wsx", "not_found"),
        ("//ws", "not_found"),
        ("/x/../ws", "not_found"),
        ("", "not_found"),
    ],
)
def test_there_is_one_place_to_knock_at(target: str, code: str | None) -> None:
    assert Porch().refusal(a_knock(target)) == code


@pytest.mark.parametrize(
    ("origin", "tls", "code"),
    [
        ([], False, None),
        (["http://chat.test"], False, None),
        (["https://chat.test"], True, None),
        (["https://other.test"], False, None),
        (["http://evil.test"], False, "foreign_origin"),
        (["https://chat.test"], False, None),  # a proxy that speaks TLS may stand before us
        (["http://chat.test:8082"], False, "foreign_origin"),
        (["null"], False, "foreign_origin"),
        ([""], False, "foreign_origin"),
        (["http://chat.test", "http://evil.test"], False, "foreign_origin"),
    ],
)
def test_a_page_may_come_from_here_or_from_where_it_is_allowed(
    origin: list[str], tls: bool, code: str | None
) -> None:
    porch = Porch(allow_origin=("https://other.test",))
    assert porch.refusal(a_knock(origin=origin, tls=tls)) == code


def test_an_address_holds_only_so_many_connections_and_each_that_ends_makes_room() -> None:
    porch = Porch(limit_address=2)
    address = porch.door.look(a_knock())
    for _ in range(2):
        assert porch.refusal(a_knock()) is None
        porch.door.came(address)
    assert porch.refusal(a_knock()) == "rate_limited"
    assert porch.refusal(a_knock(peer="192.0.2.2")) is None
    porch.door.left(address)
    assert porch.refusal(a_knock()) is None
    porch.door.left(address)
    assert not porch.door._addresses


def test_the_addresses_of_one_network_of_ipv6_are_one() -> None:
    porch = Porch(limit_address=1)
    porch.door.came(porch.door.look(a_knock(peer="2001:db8::1")))
    assert porch.refusal(a_knock(peer="2001:db8::2")) == "rate_limited"
    assert porch.refusal(a_knock(peer="2001:db8:0:1::1")) is None


def test_behind_a_trusted_proxy_the_address_is_the_clients() -> None:
    porch = Porch(trust_proxy=("10.0.0.0/8",), limit_address=1)
    assert porch.door.look(a_knock(peer="10.0.0.1", x_forwarded_for="192.0.2.7")) == "192.0.2.7"
    assert porch.door.look(a_knock(peer="192.0.2.1", x_forwarded_for="192.0.2.7")) == "192.0.2.1"


def test_a_limit_of_0_is_none() -> None:
    porch = Porch(limit_address=0, limit_connections=0)
    for _ in range(5_000):
        porch.door.came(porch.door.look(a_knock()))
    porch.hub.open[1] = 5_000
    assert porch.door.admit(ADA) is ADA


def test_nobody_comes_in_when_the_server_goes_down() -> None:
    porch = Porch()
    porch.hub.accepting = False
    for step in (lambda: porch.door.look(a_knock()), lambda: porch.door.admit(ADA)):
        with pytest.raises(Refused) as refused:
            step()
        assert (refused.value.refusal.code, refused.value.retry_after_seconds) == ("overloaded", 1.0)


# --- who it is


@pytest.mark.asyncio
async def test_a_ticket_in_the_address_or_in_the_subprotocol_serves_once() -> None:
    porch = Porch()
    knocks: list[Callable[[str], Knock]] = [
        lambda ticket: a_knock(f"/ws?otp={ticket}"),
        lambda ticket: a_knock(f"/ws?a=b&otp={ticket}&otp=other"),
        lambda ticket: a_knock(sec_websocket_protocol=f"hubbub.v1, ticket.{ticket}"),
        lambda ticket: a_knock(sec_websocket_protocol=["hubbub.v1", f"ticket.{ticket}"]),
    ]
    for knock in knocks:
        ticket = porch.tickets.issue(ADA)
        assert [await porch.who(knock(ticket)) for _ in range(2)] == [ADA, None]


@pytest.mark.asyncio
async def test_a_ticket_that_is_too_old_lets_nobody_in() -> None:
    porch = Porch()
    ticket = porch.tickets.issue(ADA)
    porch.clock.advance(5.1)
    assert await porch.who(a_knock(f"/ws?otp={ticket}")) is None


@pytest.mark.asyncio
async def test_one_who_shows_a_wrong_ticket_is_not_let_in_by_a_right_token() -> None:
    """What is shown first counts: else a page could try tickets for free."""
    porch = Porch()
    assert await porch.who(a_knock("/ws?otp=wrong", authorization="Bearer right")) is None
    assert porch.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("Bearer right", "right"),
        ("bearer  right ", "right"),
        ("BEARER right", "right"),
        ("Bearer wrong", "wrong"),
        ("Bearer", ""),
        ("Basic right", None),
        ("right", None),
        ("", None),
    ],
)
async def test_a_program_comes_with_a_bearer_token(header: str, asked: str | None) -> None:
    porch = Porch()
    who = await porch.who(a_knock(authorization=header))
    assert (who, porch.asked) == (BOT if asked == "right" else None, [] if asked is None else [asked])


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "target", ["/ws", "/ws?", "/ws?otp", "/ws?otp=", "/ws?OTP=x", "/ws?otp=%ff%00", "/ws?" + "a=b&" * 5_000]
)
async def test_nothing_shown_is_nobody_whatever_the_query(target: str) -> None:
    assert await Porch().who(a_knock(target)) is None


def test_nobody_is_not_admitted() -> None:
    with pytest.raises(Refused) as refused:
        Porch().door.admit(None)
    assert refused.value.refusal.status == 401


def test_a_user_has_only_so_many_connections() -> None:
    porch = Porch(limit_connections=3)
    porch.hub.open[1] = 2
    assert porch.door.admit(ADA) is ADA
    porch.hub.open[1] = 3
    with pytest.raises(Refused) as refused:
        porch.door.admit(ADA)
    assert (refused.value.refusal.code, refused.value.refusal.retry) == ("rate_limited", True)
    assert porch.door.admit(BOT) is BOT


@pytest.mark.parametrize(
    ("offered", "full"),
    [
        ("hubbub.v1", True),
        ("chat, hubbub.v1 ,ticket.x", True),
        ("", False),
        ("hubbub.v2", False),
        ("HUBBUB.V1", False),
        ("ticket.hubbub.v1", False),
    ],
)
def test_the_full_profile_is_asked_for_by_name(offered: str, full: bool) -> None:
    assert full_profile(a_knock(sec_websocket_protocol=offered).protocols) is full


@pytest.mark.asyncio
async def test_one_who_is_let_in_is_greeted(tmp_path: Path) -> None:
    async with a_chat(tmp_path) as world:
        door = Door(world.hub.settings, world.hub, Tickets(world.clock, 5.0), Porch()._by_token)
        transport = FakeTransport()
        client = door.enter(world.person("ada"), transport, full=True)
        await transport.next(type="welcome")
        assert world.hub.clients == {client}
