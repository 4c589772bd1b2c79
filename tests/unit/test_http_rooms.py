"""Rooms over HTTP: a request for each thing to be done, a refusal for each reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.chat_api import Api, an_api, refusal

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with an_api(tmp_path) as api:
        yield api


def room(name: str, **changes: Any) -> dict[str, Any]:
    """How a room of one's own is shown."""
    return {
        "room": name, "kind": "public", "topic": "", "archived": False, "members": 1, "member": True, "role": "owner",
    } | changes  # fmt: skip


async def test_a_room_is_made_shown_and_listed(api: Api) -> None:
    ada, bob = api.user("ada"), api.user("bob")
    made = await ada.post("/api/rooms", json={"name": "Tea Room", "topic": "hot"})
    assert (made.status_code, made.json()) == (201, room("Tea Room", topic="hot"))
    assert made.headers["content-type"] == "application/json"
    assert (await ada.get("/api/rooms/tea%20room")).json() == room("Tea Room", topic="hot")
    listed = (await bob.get("/api/rooms")).json()
    stranger = {"member": False, "role": None}
    assert listed == {
        "rooms": [room("Tea Room", topic="hot", **stranger), room("general", members=0, **stranger)]
    }


async def test_a_private_room_is_there_for_its_members_alone(api: Api) -> None:
    ada, bob = api.user("ada"), api.user("bob")
    await ada.post("/api/rooms", json={"name": "attic", "kind": "private"})
    for answer in (
        await bob.get("/api/rooms/attic"),
        await bob.patch("/api/rooms/attic", json={"topic": "x"}),
        await bob.post("/api/rooms/attic/join"),
        await bob.post("/api/rooms/attic/leave"),
        await bob.get("/api/rooms/attic/members"),
        await bob.post("/api/rooms/attic/members", json={"user": "bob"}),
        await bob.delete("/api/rooms/attic/members/ada"),
        await bob.patch("/api/rooms/attic/members/ada", json={"role": "member"}),
        await bob.get("/api/rooms/attic/messages"),
    ):
        nowhere = await bob.get("/api/rooms/nowhere")
        assert (answer.status_code, answer.json()) == (nowhere.status_code, nowhere.json())
        assert refusal(answer) == (404, "no_such_room", None)
    assert "attic" not in (await bob.get("/api/rooms")).text
    assert (await ada.post("/api/rooms/attic/members", json={"user": "bob"})).status_code == 204
    assert (await bob.get("/api/rooms/attic")).json() == room(
        "attic", kind="private", role="member", members=2
    )


async def test_members_join_are_invited_given_roles_removed_and_leave(api: Api) -> None:
    ada, bob = api.user("ada"), api.user("bob")
    await ada.post("/api/rooms", json={"name": "tea"})
    assert (await bob.post("/api/rooms/tea/join")).json() == room("tea", role="member", members=2)
    assert (await bob.post("/api/rooms/tea/join")).status_code == 200
    assert (await ada.patch("/api/rooms/tea/members/bob", json={"role": "owner"})).status_code == 204
    api.user("carol")
    await bob.post("/api/rooms/tea/members", json={"user": "carol"})
    assert (await bob.get("/api/rooms/tea/members")).json() == {
        "members": [
            {"name": "ada", "display_name": "", "role": "owner"},
            {"name": "bob", "display_name": "", "role": "owner"},
            {"name": "carol", "display_name": "", "role": "member"},
        ]
    }
    assert (await bob.delete("/api/rooms/tea/members/ada")).status_code == 204
    assert (await bob.post("/api/rooms/tea/leave")).status_code == 204
    answer = await ada.get("/api/rooms/tea/members")
    assert [member["name"] for member in answer.json()["members"]] == ["carol"]


async def test_a_change_says_what_changes_and_leaves_the_rest(api: Api) -> None:
    ada = api.user("ada")
    await ada.post("/api/rooms", json={"name": "tea", "topic": "hot"})
    for change, shown in (
        ({"name": "coffee"}, room("coffee", topic="hot")),
        ({"topic": ""}, room("coffee")),
        ({"kind": "private", "topic": "dark"}, room("coffee", kind="private", topic="dark")),
        ({"archived": True}, room("coffee", kind="private", topic="dark", archived=True)),
        ({}, room("coffee", kind="private", topic="dark", archived=True)),
        ({"archived": False, "name": "tea"}, room("tea", kind="private", topic="dark")),
    ):
        answer = await ada.patch(
            "/api/rooms/coffee" if change != {"name": "coffee"} else "/api/rooms/tea", json=change
        )
        assert (answer.status_code, answer.json()) == (200, shown)


async def test_a_direct_room_is_made_on_first_use_and_found_again(api: Api) -> None:
    ada, bob = api.user("ada"), api.user("bob")
    shown = room("@ada,bob", kind="direct", role="member", members=2)
    assert (await ada.post("/api/direct", json={"users": ["BOB"]})).json() == shown
    assert (await bob.post("/api/direct", json={"users": ["ada", "bob"]})).json() == shown
    assert (await ada.get("/api/rooms/@bob")).json() == shown
    assert refusal(await ada.post("/api/direct", json={"users": []})) == (409, "conflict", "users")
    assert refusal(await ada.post("/api/direct", json={"users": ["zoe"]})) == (404, "no_such_user", "users")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/api/rooms", {}, (400, "bad_payload", "name")),
        ("POST", "/api/rooms", {"name": 7}, (400, "bad_payload", "name")),
        ("POST", "/api/rooms", {"name": "x", "topic": None}, (400, "bad_payload", "topic")),
        ("POST", "/api/rooms", {"name": "x", "kind": "direct"}, (400, "bad_payload", "kind")),
        ("POST", "/api/rooms", {"name": ""}, (400, "bad_name", "room")),
        ("POST", "/api/rooms", {"name": "a/b"}, (400, "bad_name", "room")),
        ("POST", "/api/rooms", {"name": "zero\u200bwidth"}, (400, "bad_name", "room")),
        ("POST", "/api/rooms", {"name": "\u202egnol"}, (400, "bad_name", "room")),
        ("POST", "/api/rooms", {"name": "x" * 65}, (400, "bad_name", "room")),
        ("POST", "/api/rooms", {"name": "x", "topic": "y" * 501}, (400, "bad_name", "topic")),
        ("POST", "/api/rooms", {"name": "GENERAL"}, (409, "name_taken", "name")),
        ("PATCH", "/api/rooms/tea", {"archived": "yes"}, (400, "bad_payload", "archived")),
        ("PATCH", "/api/rooms/tea", {"name": "general"}, (409, "name_taken", "name")),
        ("PATCH", "/api/rooms/tea", {"kind": "secret"}, (400, "bad_payload", "kind")),
        ("PATCH", "/api/rooms/tea/members/ada", {"role": "king"}, (400, "bad_payload", "role")),
        ("PATCH", "/api/rooms/tea/members/zoe", {"role": "owner"}, (404, "no_such_user", "user")),
        ("POST", "/api/rooms/tea/members", {"user": "zoe"}, (404, "no_such_user", "user")),
        ("POST", "/api/rooms/tea/members", {}, (400, "bad_payload", "user")),
        ("POST", "/api/direct", {"users": "bob"}, (400, "bad_payload", "users")),
        ("POST", "/api/direct", {"users": [7]}, (400, "bad_payload", "users[0]")),
    ],
)
async def test_what_cannot_be_done_is_refused_and_the_field_is_named(
    api: Api, method: str, path: str, body: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    ada = api.user("ada")
    await ada.post("/api/rooms", json={"name": "tea"})
    assert refusal(await ada.request(method, path, json=body)) == expected


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"\xff\xff", b'{"name":"\\ud800"}', b'{"x":' + b"[" * 5_000]
)
async def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    assert refusal(await api.user("ada").post("/api/rooms", content=body)) == (400, "bad_json", None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/rooms"), ("POST", "/api/rooms"), ("GET", "/api/rooms/general"), ("PATCH", "/api/rooms/general"),
        ("POST", "/api/rooms/general/join"), ("POST", "/api/rooms/general/leave"), ("POST", "/api/direct"),
        ("GET", "/api/rooms/general/members"), ("POST", "/api/rooms/general/members"),
        ("DELETE", "/api/rooms/general/members/ada"), ("PATCH", "/api/rooms/general/members/ada"),
        ("GET", "/api/rooms/general/messages"), ("GET", "/api/rooms/nowhere/messages"),
    ],
)  # fmt: skip
async def test_nobody_gets_in_without_saying_who_it_is(api: Api, method: str, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "hubbub_session=wrong"}):
        answer = await api.client(headers).request(method, path)
        assert refusal(answer) == (401, "unauthorized", None)


async def test_a_member_without_charge_may_set_the_topic_and_no_more(api: Api) -> None:
    ada, bob, root = api.user("ada"), api.user("bob"), api.user("root", role="admin")
    await ada.post("/api/rooms", json={"name": "tea"})
    assert refusal(await bob.patch("/api/rooms/tea", json={"topic": "x"})) == (403, "forbidden", None)
    await bob.post("/api/rooms/tea/join")
    assert (await bob.patch("/api/rooms/tea", json={"topic": "x"})).json()["topic"] == "x"
    assert refusal(await bob.patch("/api/rooms/tea", json={"archived": True})) == (403, "forbidden", None)
    await root.post("/api/rooms/tea/join")
    assert (await root.patch("/api/rooms/tea", json={"archived": True})).json()["archived"] is True
    carol = api.user("carol")
    assert refusal(await carol.post("/api/rooms/tea/join")) == (409, "room_archived", None)


async def test_an_administrator_puts_a_room_in_order_without_joining_it(api: Api) -> None:
    ada, root = api.user("ada"), api.user("root", role="admin")
    await ada.post("/api/rooms", json={"name": "tea"})
    stranger = {"member": False, "role": None}
    archived = await root.patch("/api/rooms/tea", json={"archived": True})
    assert archived.json() == room("tea", archived=True, **stranger)
    opened = await root.patch("/api/rooms/tea", json={"archived": False, "name": "coffee"})
    assert opened.json() == room("coffee", **stranger)
    await root.post("/api/rooms/coffee/join")
    await root.post("/api/rooms/coffee/leave")
    assert (await root.patch("/api/rooms/coffee", json={"archived": True})).json()["archived"] is True
    assert refusal(await root.patch("/api/rooms/coffee", json={"kind": "private"})) == (
        403,
        "forbidden",
        None,
    )


async def test_one_makes_only_so_many_rooms_an_hour(tmp_path: Path) -> None:
    async with an_api(tmp_path, limit_rooms=1) as api:
        ada = api.user("ada")
        assert (await ada.post("/api/rooms", json={"name": "one"})).status_code == 201
        answer = await ada.post("/api/rooms", json={"name": "two"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")


async def test_where_only_administrators_make_rooms_others_may_not(tmp_path: Path) -> None:
    async with an_api(tmp_path, make_rooms="admins") as api:
        answer = await api.user("ada").post("/api/rooms", json={"name": "one"})
        assert refusal(answer) == (403, "forbidden", None)
        made = await api.user("root", role="owner").post("/api/rooms", json={"name": "one"})
        assert made.status_code == 201


async def test_what_is_done_over_http_is_heard_in_the_room(api: Api) -> None:
    ada = api.user("ada")
    await ada.post("/api/rooms", json={"name": "tea"})
    listener = await api.world.come("ada", "tea")
    await ada.patch("/api/rooms/tea", json={"topic": "hot"})
    assert (await listener.hears("room_changed"))["payload"] == {
        "room": "tea", "seq": 3, "by": "ada", "topic": "hot",
    }  # fmt: skip
