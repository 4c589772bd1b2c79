"""Whatever happens to connections, each client's copy of a room ends as the log is, entry for entry."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.chat import entering
from hubbub.events import ENTRY_EVENTS
from tests.chat_world import ChatWorld, Someone, a_chat

ROOM: Final = "tea"
PEOPLE: Final = 3
Step = tuple[str, int, int]


class Follower:
    """A client as one would write it: it holds a copy of the room, and asks for what it misses."""

    def __init__(self, world: ChatWorld, name: str) -> None:
        self._world = world
        self._ids = itertools.count()
        self.name = name
        self.first: int | None = None  # the number of the first entry held is the one after it
        self.copy: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.connection: Someone | None = None
        self._asks = False  # for entries that it misses

    @property
    def last(self) -> int:
        return (self.first or 0) + len(self.copy)

    def does(self, kind: str, number: int) -> None:
        """One step of its own."""
        acts: dict[str, Callable[[], None]] = {
            "come": self.come,
            "go": self.go,
            "fill": self.fill,
            "drain": self.drain,
            "edit": lambda: self.edit(number),
            "again": lambda: self.send(self.sent[number % len(self.sent)]) if self.sent else None,
            "send": self.send,
        }
        for _ in range(number + 1 if kind == "send" else 1):
            acts[kind]()

    def come(self) -> None:
        if self.connection is None:
            self.connection = self._world.connect(self.name)
            self._ask()

    def go(self) -> None:
        if self.connection is not None:
            self.take_in()
            self.connection.goes()
            self.connection = None

    def send(self, id_: str | None = None) -> None:
        if self.connection is not None:
            id_ = id_ or f"{self.name}-{next(self._ids)}"
            self.sent.append(id_)
            self.connection.says("send_message", id_, room=ROOM, message=f"text of {id_}", id=id_)

    def edit(self, which: int) -> None:
        mine = [
            event["payload"]["seq"]
            for event in self.copy
            if event["type"] == "new_message" and event["payload"]["from"] == self.name
        ]
        if mine and self.connection is not None:
            self.connection.says("edit_message", room=ROOM, seq=mine[which % len(mine)], message="edited")

    def fill(self) -> None:
        if self.connection is not None:
            self.connection.client.fall_behind(self._world.clock.monotonic())

    def drain(self) -> None:
        if self.connection is not None:
            self.connection.client.caught_up()

    def _ask(self) -> None:
        assert self.connection is not None
        self._asks = True
        if self.first is None:
            self.connection.says("enter", room=ROOM)
        else:
            self.connection.says("enter", room=ROOM, after=self.last, epoch=self._world.hub.epoch)

    def take_in(self) -> None:
        """Look at what was heard; ask for what is missing."""
        for event in self.connection.rest() if self.connection else []:
            payload = event["payload"]
            if event["type"] == "entered":
                self._asks = False
                self._entered(payload)
            elif event["type"] == "gap":
                assert payload["from"] == self.last + 1 or self._asks
                self._ask()
            elif event["type"] in ENTRY_EVENTS and not self._is_old_answer(event):
                assert payload["seq"] == self.last + 1, f"a hole or a repeat: {event} after {self.last}"
                self.copy.append({"type": event["type"], "payload": payload})

    def _entered(self, payload: dict[str, Any]) -> None:
        assert "reset" not in payload
        if self.first is None:
            self.first = payload["head"]
        for entry in payload.get("entries", ()):
            assert entry["payload"]["seq"] == self.last + 1
            self.copy.append(entry)
        if payload["more"]:
            self._ask()

    def _is_old_answer(self, event: dict[str, Any]) -> bool:
        """The first entry of an id that was sent again, or one's own from outside the room: for its sender alone."""
        return event.get("ref") is not None and (
            event["payload"]["seq"] <= self.last or self.first is None or self._asks
        )

    def is_up_to(self, head: int) -> bool:
        return self.last == head and not self._asks


async def play(folder: Path, steps: list[Step]) -> None:
    """Play the steps, let everyone come to an end, and compare."""
    async with a_chat(folder) as world:
        owner = await world.come("owner", ROOM)
        followers = [Follower(world, f"user-{number}") for number in range(PEOPLE)]
        for follower in followers:
            follower.come()
        for kind, who, number in steps:
            follower = followers[who]
            if kind in ("wait", "settle"):
                for _ in range(number):
                    await asyncio.sleep(0)
                if kind == "settle":
                    await world.settled()
                follower.take_in()
            else:
                follower.does(kind, number)
        await bring_to_an_end(world, owner, followers)
        log = await world.log(ROOM)
        for follower in followers:
            assert follower.copy == log[follower.first or 0 :]
        sent = [
            (entry["payload"]["from"], entry["payload"]["id"])
            for entry in log
            if entry["type"] == "new_message"
        ]
        assert len(sent) == len(set(sent))
        assert set(sent) <= {(follower.name, id_) for follower in followers for id_ in follower.sent}


async def bring_to_an_end(world: ChatWorld, owner: Someone, followers: list[Follower]) -> None:
    """Everyone is there, reads, and has all there is."""
    for follower in followers:
        follower.come()
        follower.drain()
    head = 0
    for _ in range(1_000):
        await world.settled()
        quiet = not any(
            client.busy for client in world.hub.clients
        )  # so all that was sent waits for the writer
        await world.hub.writer.drained()
        head = (await owner.enters(ROOM))["head"]
        for follower in followers:
            follower.take_in()
        if quiet and all(follower.is_up_to(head) for follower in followers):
            return
    raise AssertionError([(follower.last, head) for follower in followers])


STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "again", "edit", "go", "come", "come", "fill", "drain", "drain", "wait", "wait", "settle"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, 6),
    ),
    max_size=60,
)  # fmt: skip


def test_every_copy_of_a_room_equals_the_log_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "ENTRIES_A_PAGE", 5)

    @settings(max_examples=40)
    @given(STEPS)
    def hold(steps: list[Step]) -> None:
        asyncio.run(play(tmp_path / secrets.token_hex(4), steps))

    hold()
