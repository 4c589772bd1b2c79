"""Backup, restore and doctor as people call them, beside a real server and in the hands of a real terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from hubbub.maintenance.backup import back_up
from tests.maintenance_data import DAMAGES, epoch, left_by_a_kill, logs, make_database, snapshot

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
ROOMS = ("general", "kitchen", "garden")


class Hubbub:
    """A server on a folder of data, and the commands beside it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.tokens: dict[str, str] = {}
        self._process: Process | None = None

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            _command(*arguments, "--data", str(self.data)),
            env=_environment(**environment),
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    async def call(self, *arguments: str) -> tuple[int, str]:
        """Run a command while the test goes on; its status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *_command(*arguments, "--data", str(self.data)), env=_environment(), cwd=ROOT, stdout=PIPE
        )
        printed, _ = await process.communicate()
        return process.returncode or 0, printed.decode()

    def add_people(self, *names: str) -> None:
        """Make accounts with tokens."""
        people, tokens = self.data.parent / "people.csv", self.data.parent / "tokens.csv"
        people.write_text("name,display name,role\n" + "".join(f"{name},,member\n" for name in names))
        made = self.run("user", "import", str(people), "--tokens-out", str(tokens))
        assert made.returncode == 0, made.stderr
        self.tokens = dict(line.split(",") for line in tokens.read_text().split())

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *_command("serve", "--port", "0", "--data", str(self.data)),
            env=_environment(HUBBUB_LIMIT_MESSAGES="0", HUBBUB_LOG_LEVEL="warning"),
            cwd=ROOT,
            stdout=PIPE,
        )
        assert self._process.stdout is not None
        first = (await self._process.stdout.readline()).decode()
        self.port = int(first.rpartition(":")[2])

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None

    def post(self, path: str, body: object = None, **headers: str) -> tuple[Any, str]:
        """What a POST answers, and the cookie that it sets."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer), str(answer.headers["Set-Cookie"] or "").split(";", maxsplit=1)[0]

    @asynccontextmanager
    async def enter(self, name: str) -> AsyncIterator[Client]:
        """A connection, welcomed."""
        async with connect(
            f"ws://127.0.0.1:{self.port}/ws",
            additional_headers={"Authorization": f"Bearer {self.tokens[name]}"},
            subprotocols=["hubbub.v1"],  # type: ignore[list-item]
            max_size=None,
        ) as socket:
            client = Client(socket)
            client.epoch = (await client.next("welcome"))["epoch"]
            yield client


class Client:
    """One connection that keeps what it sees of each room's log."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.epoch = ""
        self.seen: dict[str, dict[int, tuple[str, str]]] = {}

    async def ask(self, type_: str, **payload: object) -> None:
        await self._socket.send(json.dumps({"type": type_, "payload": payload}))

    async def next(self, type_: str) -> dict[str, Any]:
        """The next event of a type; those before it are noted."""
        while True:
            event = json.loads(await self._socket.recv())
            payload: dict[str, Any] = event["payload"]
            assert event["type"] != "error", payload
            self.note(event["type"], payload)
            if event["type"] == type_:
                return payload

    def note(self, type_: str, payload: dict[str, Any]) -> None:
        """Keep an entry; a number seen twice must be the same entry."""
        if "seq" in payload and type_ != "read":
            entry = (type_, json.dumps(payload, sort_keys=True))
            assert self.seen.setdefault(payload["room"], {}).setdefault(payload["seq"], entry) == entry

    async def read_all(self, room: str) -> dict[str, Any]:
        """Enter a room and take its whole log, page by page; the last answer."""
        after = 0
        while True:
            held = {"epoch": self.epoch} if after else {}  # else a room that is not there is made
            await self.ask("enter", room=room, after=after, **held)
            entered = await self.next("entered")
            assert not entered.get("reset")
            for event in entered["entries"]:
                self.note(event["type"], event["payload"])
                after = event["payload"]["seq"]
            if not entered.get("more"):
                return entered

    async def say(self, room: str, id_: str) -> int:
        """Send a message and wait for its echo: it is on disk."""
        await self.ask("send_message", room=room, id=id_, message=f"this is {id_}")
        while True:
            payload = await self.next("new_message")
            if payload["id"] == id_:
                return int(payload["seq"])


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hubbub", *arguments]


def _environment(**more: str) -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("HUBBUB_")} | more


@pytest_asyncio.fixture
async def hubbub(tmp_path: Path) -> AsyncIterator[Hubbub]:
    server = Hubbub(tmp_path / "data")
    server.add_people("ada", "bob")
    await server.start()
    yield server
    await server.stop()


@pytest.mark.asyncio
async def test_a_backup_under_load_restored_elsewhere_has_every_entry_up_to_its_numbers(
    hubbub: Hubbub, tmp_path: Path
) -> None:
    """The checker: acknowledged before it began is in it, in the order that everyone saw, with no hole."""
    acknowledged: set[tuple[str, int]] = set()
    seen: dict[str, dict[int, tuple[str, str]]] = {room: {} for room in ROOMS}
    enough, over = asyncio.Event(), asyncio.Event()

    async def speak(name: str, room: str) -> None:
        async with hubbub.enter(name) as client:
            await client.read_all(room)
            number = 0
            while not over.is_set():
                number += 1
                acknowledged.add((room, await client.say(room, f"{name}-{room}-{number}")))
                if len(acknowledged) >= 300:
                    enough.set()
        seen[room].update(client.seen[room])

    async with asyncio.TaskGroup() as group:
        for name in ("ada", "bob"):
            for room in ROOMS:
                group.create_task(speak(name, room))
        await enough.wait()
        before = set(acknowledged)
        status, printed = await hubbub.call("backup", str(tmp_path / "hubbub.bak"), "--json")
        during = len(acknowledged) - len(before)
        over.set()
    assert (status, during > 0) == (0, True)

    stated = json.loads(printed)["contents"]
    elsewhere = Hubbub(tmp_path / "elsewhere" / "data")
    elsewhere.tokens = hubbub.tokens
    restored = elsewhere.run("restore", str(tmp_path / "hubbub.bak"))
    assert restored.returncode == 0, restored.stderr
    await elsewhere.start()
    try:
        async with elsewhere.enter("bob") as reader:
            heads = {room: (await reader.read_all(room))["head"] for room in ROOMS}
    finally:
        await elsewhere.stop()
    # bob's coming adds nothing: he was a member of each room before.
    assert {head["room"]: head["seq"] for head in stated["heads"]} == heads
    assert stated["entries"] == sum(heads.values())
    for room, head in heads.items():
        assert reader.seen[room] == {seq: seen[room][seq] for seq in range(1, head + 1)}
    assert {(room, seq) for room, seq in before if seq > heads[room]} == set()


@pytest.mark.asyncio
async def test_after_a_restore_a_client_with_later_numbers_starts_anew_and_sees_no_mixture(
    hubbub: Hubbub, tmp_path: Path
) -> None:
    async with hubbub.enter("ada") as ada:
        await ada.read_all("general")
        kept = [await ada.say("general", f"early-{number}") for number in range(5)]
        made = await hubbub.call("backup", str(tmp_path / "hubbub.bak"))
        assert made[0] == 0
        lost = [await ada.say("general", f"late-{number}") for number in range(5)]
        former = ada.epoch
    await hubbub.stop()
    restored = hubbub.run("restore", str(tmp_path / "hubbub.bak"), "--yes")
    assert restored.returncode == 0, restored.stderr
    await hubbub.start()
    async with hubbub.enter("ada") as ada, hubbub.enter("bob") as bob:
        assert ada.epoch != former
        for after in (lost[-1], kept[1]):  # beyond the head, and within it but of the other log
            await ada.ask("enter", room="general", after=after, epoch=former)
            entered = await ada.next("entered")
            assert (entered["reset"], entered["head"]) == (True, kept[-1])
            assert entered["epoch"].startswith(f"{ada.epoch}.")
            assert [message["id"] for message in entered["messages"]] == [
                f"early-{number}" for number in range(5)
            ]
        await bob.ask("enter", room="general")
        assert (await bob.next("entered"))["head"] in (kept[-1], kept[-1] + 1)  # with bob's own joining
        # The number that "late-0" had is another entry's now, and the sender's id may be used again.
        assert await ada.say("general", "late-0") > kept[-1]


@pytest.mark.asyncio
async def test_sessions_stay_valid_over_a_restore(hubbub: Hubbub, tmp_path: Path) -> None:
    assert hubbub.run("user", "add", "carol", "--password-stdin", stdin=f"{PASSWORD}\n").returncode == 0
    _, cookie = hubbub.post("/login", {"username": "carol", "password": PASSWORD})
    assert (await hubbub.call("backup", str(tmp_path / "hubbub.bak")))[0] == 0
    await hubbub.stop()
    assert hubbub.run("restore", str(tmp_path / "hubbub.bak"), "--yes").returncode == 0
    await hubbub.start()
    ticket, _ = hubbub.post("/ticket", Cookie=cookie)
    assert ticket["otp"]


@pytest.mark.asyncio
async def test_a_running_servers_database_is_not_replaced(hubbub: Hubbub, tmp_path: Path) -> None:
    assert (await hubbub.call("backup", str(tmp_path / "hubbub.bak")))[0] == 0
    refused = hubbub.run("restore", str(tmp_path / "hubbub.bak"), "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    path = hubbub.data / "hubbub.db"
    assert refused.stderr == (
        f"hubbub: A server is running on {path}: end it first (Ctrl-C, or systemctl stop), then restore again.\n"
    )
    async with hubbub.enter("ada") as ada:
        await ada.read_all("general")
        assert await ada.say("general", "still-here") > 0


@pytest.mark.asyncio
async def test_the_doctor_of_a_running_server_finds_it_well(hubbub: Hubbub) -> None:
    status, printed = await hubbub.call("doctor", "--json", "--port", str(hubbub.port))
    levels = {check["check"]: (check["level"], check["found"]) for check in json.loads(printed)["checks"]}
    assert levels["port"] == ("ok", f"a Hubbub answers at 127.0.0.1:{hubbub.port}")
    assert [
        levels[name][0]
        for name in ("settings", "folder", "permissions", "database", "journal", "tables", "log")
    ] == ["ok"] * 7
    assert status == (0 if json.loads(printed)["ok"] else 1)


# Without a server


@pytest.fixture
def stopped(tmp_path: Path) -> Hubbub:
    """A stopped server's folder of data."""
    make_database(tmp_path / "data" / "hubbub.db", messages=10)
    return Hubbub(tmp_path / "data")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A backup of another server's."""
    source = make_database(tmp_path / "other" / "hubbub.db", messages=30)
    return back_up(source, tmp_path / "hubbub.bak").file


def test_a_backup_says_in_words_what_is_in_it(stopped: Hubbub, tmp_path: Path) -> None:
    made = stopped.run("backup", str(tmp_path / "hubbub.bak"))
    assert (made.returncode, made.stderr) == (0, "")
    size, contents = made.stdout.splitlines()
    assert size == f"Copied 0.1 MB to {tmp_path / 'hubbub.bak'}, checked."
    assert contents == (
        "In it: 2 rooms, 20 entries, 2 users, up to 2026-09-21T14:13:20.010Z (entry 10 of room-2)."
    )


def test_a_database_of_another_kind_is_left_to_its_own_tools(stopped: Hubbub, tmp_path: Path) -> None:
    for command in ("backup", "restore"):
        refused = stopped.run(
            command, str(tmp_path / "x"), "--database", "postgresql://ada:secret@localhost/chat"
        )
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == (
            "hubbub: This is for SQLite, and the database is postgresql: use that database's own tools"
            " (for PostgreSQL, pg_dump and pg_restore).\n"
        )


def test_without_a_terminal_and_without_yes_a_database_in_use_is_not_replaced(
    stopped: Hubbub, copy: Path
) -> None:
    (stopped.data / "hubbub.db.lock").touch()
    before = snapshot(stopped.data)
    refused = stopped.run("restore", str(copy), stdin="y\n")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "there is no terminal to ask at: replace it with --yes" in refused.stderr
    assert snapshot(stopped.data) == before


@pytest.mark.parametrize(("answer", "status", "entries"), [("n", 1, 20), ("", 1, 20), ("y", 0, 60)])
def test_at_a_terminal_it_asks_and_does_as_told(
    stopped: Hubbub, copy: Path, answer: str, status: int, entries: int
) -> None:
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, f"{answer}\n".encode())
        ended = subprocess.run(
            _command("restore", str(copy), "--data", str(stopped.data)),
            env=_environment(),
            cwd=ROOT,
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert ended.returncode == status, ended.stderr
    assert f"{stopped.data / 'hubbub.db'} is there: 2 rooms, 20 entries, 2 users" in ended.stdout
    assert "The copy has: 2 rooms, 60 entries, 2 users" in ended.stdout
    assert sum(len(log) for log in logs(stopped.data / "hubbub.db").values()) == entries
    if status:
        assert ended.stderr == "hubbub: Nothing was changed.\n"


@pytest.mark.parametrize("damage", ["a page of noise", "cut in half", "random bytes", "an empty file"])
def test_a_damaged_copy_ends_in_one_line(stopped: Hubbub, copy: Path, damage: str) -> None:
    DAMAGES[damage](copy)
    before = snapshot(stopped.data)
    refused = stopped.run("restore", str(copy), "--yes")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith(f"hubbub: {copy} is ")
    assert snapshot(stopped.data) == before


def test_a_database_with_a_damaged_page_is_found_by_the_doctor_and_mended_by_a_restore(
    stopped: Hubbub, copy: Path
) -> None:
    DAMAGES["a page of noise"](stopped.data / "hubbub.db")
    ill = stopped.run("doctor", "--port", "0")
    assert (ill.returncode, "problem  database" in ill.stdout, ill.stderr) == (1, True, "")
    assert stopped.run("restore", str(copy), "--yes").returncode == 0
    well = stopped.run("doctor", "--port", "0")
    assert ("problem  database" in well.stdout, well.stderr) == (False, "")
    assert "no number is missing: 2 rooms, 60 entries" in well.stdout


def test_the_doctor_names_a_setting_that_is_none_and_ends_with_1(stopped: Hubbub) -> None:
    ill = stopped.run("doctor", "--json", "--port", "0", HUBBUB_DATABSE="x")
    checks = json.loads(ill.stdout)["checks"]
    assert (ill.returncode, ill.stderr) == (1, "")
    assert checks[0]["found"].endswith(
        "There is no setting HUBBUB_DATABSE in the environment. Did you mean HUBBUB_DATABASE?"
    )


def test_a_bad_option_of_the_doctor_is_bad_use(stopped: Hubbub) -> None:
    refused = stopped.run("doctor", "--port", "many")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


# The program is killed at its n-th step that changes a name or syncs; 0: never.
_KILLED = """
import os, signal, sys
steps, when, how = 0, int(sys.argv[1]), int(sys.argv[2])
def counted(call):
    def counting(*arguments, **named):
        global steps
        steps += 1
        if steps == when:
            os.kill(os.getpid(), how)
        return call(*arguments, **named)
    return counting
for name in ("link", "rename", "replace", "unlink", "fsync"):
    setattr(os, name, counted(getattr(os, name)))
from hubbub.cli import main
main(sys.argv[3:])
"""


def _killed(when: int, how: signal.Signals, *arguments: str) -> int:
    command = [sys.executable, "-c", _KILLED, str(when), str(int(how)), *arguments]
    return subprocess.run(command, env=_environment(), cwd=ROOT, capture_output=True, check=False).returncode


def test_a_backup_that_is_told_to_end_leaves_nothing(stopped: Hubbub, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for when in (1, 2):
        status = _killed(when, signal.SIGTERM, "backup", str(copies / "x"), "--data", str(stopped.data))
        assert (status, snapshot(copies)) == (128 + signal.SIGTERM, {})


@pytest.mark.parametrize("log", [True, False])
def test_a_restore_killed_at_any_step_leaves_the_one_database_or_the_other_whole(
    tmp_path: Path, copy: Path, log: bool
) -> None:
    restored, when = False, 0
    while not restored:
        when += 1
        target = make_database(tmp_path / f"data-{when}" / "hubbub.db", messages=10)
        if log:
            left_by_a_kill(target, messages=5)
        status = _killed(when, signal.SIGKILL, "restore", str(copy), "--yes", "--data", str(target.parent))
        restored = status == 0
        assert restored or status == -signal.SIGKILL
        lengths = [len(entries) for entries in logs(target).values()]
        assert lengths in ([15 if log else 10, 10], [30, 30])
        assert epoch(target) != epoch(copy)
        if lengths == [30, 30]:
            kept = next(target.parent.glob("hubbub.before-restore-*.db"))
            assert [len(entries) for entries in logs(kept).values()] == [15 if log else 10, 10]
    assert when > 4
