"""The audit log of a real server, and of the command line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import RefusedByServer, connected
from tests.support.raw import handshake, raw
from tests.support.server import PASSWORD, Accounts, Server, hubbub

pytestmark = pytest.mark.asyncio


def shown(data: Path, *arguments: str) -> list[dict[str, Any]]:
    """What `hubbub audit` prints."""
    done = hubbub("audit", "--json", "--data", str(data), *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_what_the_door_refuses_is_read_over_http_and_outlives_the_server(
    accounts: Accounts, tmp_path: Path
) -> None:
    server = Server(tmp_path, accounts)
    server.start()
    try:
        olga = await server.log_in("olga")
        knocks: list[dict[str, str | None]] = [
            {"start": "GET /ws?otp=made-up HTTP/1.1"},
            {"Sec_WebSocket_Protocol": "hubbub.v1, ticket.made-up"},
            {"Authorization": "Bearer hub_made-up"},
            {"Origin": "https://evil.test"},
            {},
        ]
        for knock in knocks:
            async with raw(server) as opened:
                await opened.send(handshake(server, **knock))  # type: ignore[arg-type]
                assert (await opened.answer()).status in (401, 403)
        found = (await server.call(olga, "GET", "/api/audit?limit=3"))["entries"]
        wanted = {"bad_ticket": 2, "bad_token": 1, "foreign_origin": 1}
        assert {entry["kind"]: entry["count"] for entry in found} == wanted
        assert {entry["address"] for entry in found} == {"127.0.0.1"}
        # What was not written yet is written at the end.
        async with raw(server) as opened:
            await opened.send(handshake(server, Authorization="Bearer hub_made-up"))
            assert (await opened.answer()).status == 401
    finally:
        server.end()
    assert [entry["count"] for entry in shown(server.data, "--kind", "bad_token")] == [2]
    assert "made-up" not in json.dumps(shown(server.data))


async def test_what_is_forbidden_on_a_socket_names_who_tried(server: Server) -> None:
    olga, person, room = await server.log_in("olga"), server.person(), server.room()
    owner, member = await connected(server, olga), await connected(server, person)
    await owner.enter(room)
    await member.enter(room)
    said = await owner.say(room, "mine")
    with pytest.raises(RefusedByServer, match="forbidden"):
        await member.ask("delete_message", room=room, seq=said["seq"])
    for client in (owner, member):
        await client.close()
    (entry,) = (await server.call(olga, "GET", "/api/audit?kind=forbidden"))["entries"]
    assert (entry["who"], entry["about"], entry["count"]) == (person.name, None, 1)


async def test_what_the_command_line_changes_leaves_an_entry_each(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    people = tmp_path / "people.csv"
    people.write_text("bob,,member\ncleo,,admin\n")
    password = ("--password-stdin", "--data", data)
    commands = [
        ("user", "add", "Ada", "--role", "owner", *password),
        ("user", "import", str(people), "--tokens-out", str(tmp_path / "tokens"), "--data", data),
        ("user", "role", "bob", "admin", "--data", data),
        ("user", "role", "bob", "admin", "--data", data),  # no change
        ("user", "disable", "bob", "--data", data),
        ("user", "enable", "bob", "--data", data),
        ("user", "reset-password", "bob", *password),
        ("user", "token", "bob", "--data", data),
        ("user", "token", "bob", "--revoke", "--data", data),
        ("backup", str(tmp_path / "copy.db"), "--data", data),
        ("restore", str(tmp_path / "copy.db"), "--yes", "--data", data),
    ]
    for command in commands:
        assert hubbub(*command, given=f"{PASSWORD}\n").returncode == 0, command
    found = shown(Path(data))
    assert [(entry["kind"], entry["about"], entry["detail"]) for entry in found] == [
        ("account_made", "Ada", "owner"),
        ("account_made", "", "2 imported, with a token each"),
        ("account_made", "cleo", "admin"),
        ("role", "bob", "member to admin"),
        ("disabled", "bob", ""),
        ("enabled", "bob", ""),
        ("password_reset", "bob", ""),
        ("token_made", "bob", ""),
        ("token_revoked", "bob", "2 of them"),
        ("restored", "", ""),
    ]
    assert {(entry["who"], entry["address"]) for entry in found} == {("", "command line")}


async def test_the_restore_of_a_copy_from_before_there_was_an_audit_log_is_in_it(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    assert hubbub("room", "add", "tea", "--data", str(data)).returncode == 0
    with closing(sqlite3.connect(data / "hubbub.db")) as old, old:
        old.execute("DROP TABLE audit")
        old.execute("UPDATE alembic_version SET version_num = '0003'")
    with closing(sqlite3.connect(data / "hubbub.db")) as old:
        old.execute("VACUUM INTO ?", (str(copy),))
    assert hubbub("restore", str(copy), "--yes", "--data", str(data)).returncode == 0
    assert [entry["kind"] for entry in shown(data)] == ["restored"]


async def test_a_line_of_it_is_one_line(tmp_path: Path) -> None:
    data = str(tmp_path)
    assert hubbub("room", "add", "tea", "--data", data).returncode == 0
    with closing(sqlite3.connect(tmp_path / "hubbub.db")) as database, database:
        database.execute(
            "INSERT INTO audit (at, until, kind, visit, who, about, address, detail, count)"
            " VALUES (0, 60000, 'role', 0, 'olga', 'ada', '192.0.2.1', 'member to admin', 2)"
        )
    assert hubbub("audit", "--data", data).stdout == (
        "1970-01-01T00:00:00.000Z  role                  olga about ada from 192.0.2.1: member to admin"
        " (2 times, until 1970-01-01T00:01:00.000Z)\n"
    )
    assert hubbub("audit", "--kind", "rle", "--data", data).returncode == 1
