"""The work that is counted: `python -m bench.guard.work FOLDER`, under callgrind, with the database in FOLDER.

It does each thing until everything about it is warm, and then between two marks so often that what belongs to no single
one of them drops out. It writes what it counted, in order, to `COUNTS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.guard import calibration, data
from bench.guard.kernel import Kernel
from bench.guard.loop import HandTurnedLoop
from bench.guard.marks import Marks
from bench.guard.world import PING, PONG, Person, World, event, world
from hubbub.log.transaction import Entry
from hubbub.outgoing import Outgoing
from hubbub.room import Room

DATABASE: Final = "hubbub.db"
COUNTS: Final = "counts.json"
FEW: Final = 20  # people in the big room, at first
MANY: Final = len(data.PEOPLE)
MESSAGES: Final = 40
WARM_ROUNDS: Final = 2
ROUNDS: Final = 4
AT_ONCE: Final = 10
BUSY_ROUNDS: Final = 10
IN_RING: Final = 1_000
CONNECTS: Final = 16
WARM: Final = 8
BEAT_SECONDS: Final = 9.0
TICKS: Final = 90


def main(folder: Path) -> None:
    """Do it all."""
    sys.setswitchinterval(30.0)  # who has the interpreter keeps it until it waits: no time is in the counts
    marks = Marks()
    calibration.work(20)
    with marks.count("calibration"):
        calibration.work()
    with asyncio.Runner(loop_factory=HandTurnedLoop) as runner:
        runner.run(_ordinary(folder / DATABASE, marks))
    _ring(marks)
    (folder / COUNTS).write_text(json.dumps(marks.names))


async def _ordinary(database: Path, marks: Marks) -> None:
    async with world(database) as here:
        there = await here.arrive(data.PEOPLE[:FEW], [data.BIG], data.HEAD)
        _quiet_collector()
        await _deliver(here, there, marks, "deliver few")
        await _beat(here, there, marks, "beat few")
        there += await here.arrive(data.PEOPLE[FEW:], [data.BIG], data.HEAD)
        _quiet_collector()
        await _deliver(here, there, marks, "deliver many")
        await _beat(here, there, marks, "beat many")
        await _talk(here, there, marks, "talk")
        with marks.count("index"):
            await here.settle()
        await _talk_at_once(here, there, marks, "talk at once")
        await here.admit(there, data.PEOPLE, [data.small_rooms_of(number) for number in range(MANY)])
        _quiet_collector()
        await _talk_everywhere(here, there, marks, "talk everywhere")
        await here.arrive([data.HOST], data.QUIET, data.HEAD)
        _quiet_collector()
        await _come_and_go(here, marks, "connect")
        await _resume(here, marks, "resume")
        for person in there:
            person.leaves()


def _ring(marks: Marks) -> None:
    """Deliver to many readers that have a socket in the ring. The kernel is left out: it says that all was sent."""
    kernel = Kernel()
    ring = kernel.ring()
    room = Room(1, data.BIG, data.BIG, "public", "", archived=False, outgoing=Outgoing(ring))
    for number in range(IN_RING):
        reader = _Reader(f"reader-{number:04}", ring.add(number, _none_is_left))
        room.hold(reader)
        room.release(reader, data.HEAD)
    entries = [
        Entry(1, seq, "new_message", 1, data.TEXT.encode())
        for seq in range(data.HEAD + 1, data.HEAD + 1 + WARM + MESSAGES)
    ]
    kernel.takes(len(entries[0].frame))
    for entry in entries[:WARM]:
        room.deliver([entry])
    _quiet_collector()
    with marks.count("ring"):
        for entry in entries[WARM:]:
            room.deliver([entry])


class _Reader:
    """One connection, as a room knows it."""

    def __init__(self, name: str, socket: bytes) -> None:
        self.name = name
        self.full = True
        self.inflates = False
        self.socket: bytes | None = socket
        self.write: Callable[[bytes], object] = _none_is_left


def _none_is_left(_data: bytes | memoryview) -> None:
    raise AssertionError("the ring left something to a transport")


def _quiet_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()


def _sayings(name: str, count: int, room: str = data.BIG) -> list[bytes]:
    """Messages with ids of one length, which nobody used before."""
    prefix = name.replace(" ", "-").rjust(20, "-")
    return [
        event("send_message", room=room, message=data.TEXT, id=f"{prefix}-{each:05}") for each in range(count)
    ]


async def _say(here: World, speaker: Person, sayings: Sequence[bytes]) -> None:
    """Each is there before the next is said."""
    for saying in sayings:
        speaker.receive(saying)
        await here.hub.writer.drained()


async def _talk(here: World, there: list[Person], marks: Marks, name: str) -> None:
    """One speaks in the big room; everyone hears it."""
    sayings = _sayings(name, MESSAGES)
    await _say(here, there[0], _sayings(f"warm {name}", WARM))
    for person in there:
        person.heard.clear()
    with marks.count(name):
        await _say(here, there[0], sayings)
    assert [len(person.heard) for person in there] == [MESSAGES] * len(there), name


async def _deliver(here: World, there: list[Person], marks: Marks, name: str) -> None:
    """The same, so that two counts differ by nothing but how many there are in the room."""
    with here.in_one_thread():
        await _talk(here, there, marks, name)
        await here.settle()


async def _talk_at_once(here: World, there: list[Person], marks: Marks, name: str) -> None:
    """Some speak in the big room at once; everyone hears each batch as one write, compressed."""
    everyone = there[:AT_ONCE]
    sayings = _sayings(name, (WARM_ROUNDS + BUSY_ROUNDS) * AT_ONCE)
    rounds = [sayings[start : start + AT_ONCE] for start in range(0, len(sayings), AT_ONCE)]
    await _say_at_once(here, everyone, rounds[:WARM_ROUNDS])
    for person in there:
        person.heard.clear()
    with marks.count(name):
        await _say_at_once(here, everyone, rounds[WARM_ROUNDS:])
    assert [len(person.heard) for person in there] == [BUSY_ROUNDS] * len(there)


async def _say_at_once(here: World, there: Sequence[Person], rounds: Sequence[Sequence[bytes]]) -> None:
    """Each says one thing a round, and all of it is there before the next."""
    for sayings in rounds:
        for person, saying in zip(there, sayings, strict=True):
            person.receive(saying)
        await here.hub.writer.drained()


async def _talk_everywhere(here: World, there: list[Person], marks: Marks, name: str) -> None:
    """Someone speaks in each of the small rooms, all at once; that is there before the next is said."""
    rounds = list(
        zip(
            *(
                _sayings(f"small {number:02}", WARM_ROUNDS + ROUNDS, data.SMALL[number])
                for number in range(MANY)
            ),
            strict=True,
        )
    )

    await _say_at_once(here, there, rounds[:WARM_ROUNDS])
    for person in there:
        person.heard.clear()
    batches = here.hub.writer.figures.batches
    with marks.count(name):
        await _say_at_once(here, there, rounds[WARM_ROUNDS:])
    assert here.hub.writer.figures.batches == batches + ROUNDS
    assert all(len(person.heard) == ROUNDS * data.ROOMS_EACH for person in there)


async def _beat(here: World, there: list[Person], marks: Marks, name: str) -> None:
    """A ping for each, and its answer; and as many turns of the loop in which nothing is due."""
    for counted in (False, True):
        for person in there:
            person.heard.clear()
        with marks.count(f"no {name}") if counted else contextlib.nullcontext():
            await _turns(here, 0.0)
        with marks.count(name) if counted else contextlib.nullcontext():
            await _turns(here, BEAT_SECONDS / TICKS)
            for person in there:
                person.receive(PONG)
        assert all(person.heard == [PING] for person in there)


async def _turns(here: World, seconds: float) -> None:
    for _ in range(TICKS):
        here.loop.advance(seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the first was there before what is due


class _Wait:
    """Listens until so many writes have come."""

    def __init__(self, here: World) -> None:
        self._loop = here.loop
        self._left = 0
        self._done: asyncio.Future[None] = self._loop.create_future()

    def heard(self, _data: bytes) -> None:
        """One more."""
        self._left -= 1
        if self._left == 0:
            self._done.set_result(None)

    def until(self, count: int) -> asyncio.Future[None]:
        """Done when `count` more were heard."""
        self._left = count
        self._done = self._loop.create_future()
        return self._done


async def _come_and_go(here: World, marks: Marks, name: str) -> None:
    """A request with a ticket, the answer, `welcome`, and gone again."""

    async def come(knocks: Sequence[bytes]) -> None:
        for knock in knocks:
            wait = _Wait(here)
            done = wait.until(2)
            person = here.connect(knock, wait.heard)
            await done
            person.leaves()

    await come([here.knock(data.GUEST) for _ in range(WARM)])
    knocks = [here.knock(data.GUEST) for _ in range(CONNECTS)]
    with marks.count(name):
        await come(knocks)


async def _resume(here: World, marks: Marks, name: str) -> None:
    """A client that was away for 20 messages enters its rooms again."""
    for counted in (False, True):
        wait = _Wait(here)
        done = wait.until(2)
        person = here.connect(here.knock(data.VISITOR), wait.heard)
        await done
        frames = [here.resume(room, data.HEAD - 20) for room in data.QUIET]
        with marks.count(name) if counted else contextlib.nullcontext():
            for frame in frames:
                done = wait.until(1)
                person.receive(frame)
                await done
        person.leaves()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
