"""One process of the load generator: connects its seats, sends, counts, and tells what it counted.

It is told what to do by lines of JSON on its standard input (a `Plan`, then a `Start`) and answers with one line of JSON
each. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import Final, TypeVar

import msgspec

try:
    from uvloop import run
except ImportError:  # it is not made for every platform
    from asyncio import run  # type: ignore[assignment]

from hubbub.bench.alarm import Alarm
from hubbub.bench.client import Client, NotAdmittedError, connect
from hubbub.bench.dialect import DIALECTS
from hubbub.bench.ears import Ears
from hubbub.bench.plan import Answer, AwaitHeads, Counted, Failed, Plan, Ready, RoomSeen, Seat, Start, Stopped
from hubbub.bench.reader import Reader
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.speaker import Speaker
from hubbub.bench.tally import Tally
from hubbub.bench.wire import MessageWriter, StampReader

CONNECTING_AT_ONCE: Final = 64
GIVEN_UP_SECONDS: Final = 5.0
"""What has not come is lost once nothing at all has come for so long, and nothing more is sent."""

_LOG_BYTES: Final = 256 * 1024 * 1024
_LARGEST_WINDOW: Final = 8 * 1024 * 1024
_LOOK_SECONDS: Final = 0.02
_GIVEN_UP_AGAIN_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 0.1
_SENDS_AT_ONCE: Final = 64
_NS: Final = 1_000_000_000

Told = TypeVar("Told", Plan, Start, AwaitHeads)


class Worker:
    """The connections of one process."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._dialect = DIALECTS[plan.dialect]
        self._tally = Tally()
        self._stamps = StampReader(plan.run)
        self._ears = Ears(self._tally)
        self._logs: dict[str, RoomLog] = {}
        self._clients: list[Client] = []
        self._readers: list[Reader] = []
        self._speakers: list[tuple[int, Speaker]] = []
        self._cpu_seconds = 0.0
        self._gave_up = False

    async def connect(self) -> None:
        """Open all connections and enter their rooms. Raises `NotAdmittedError`."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as tasks:
                for seat in self._plan.seats:
                    tasks.create_task(self._take_seat(seat, gate))
        except* NotAdmittedError as refused:
            raise refused.exceptions[0] from None
        self._speakers.sort(key=lambda speaker: speaker[0])

    async def run(self, start: Start) -> Stopped:
        """Send and count until the end, then wait until all that was sent came back."""
        self._tally.measure(start.begin_ns, start.end_ns)
        await _sleep_until(start.start_ns)
        cpu_before = time.process_time()
        if self._plan.rate:
            await self._speak_at_fixed_times(start)
        else:
            for number, speaker in self._speakers:
                speaker.start(self._plan.messages_of(number))
            if self._plan.messages is None:
                await _sleep_until(start.end_ns)
            else:
                await self._until_all_came_back()
        self._cpu_seconds = time.process_time() - cpu_before
        for _, speaker in self._speakers:
            speaker.stop()
        await self._drain({})
        return Stopped({name: log.head for name, log in self._logs.items()})

    async def count(self, awaited: AwaitHeads) -> Counted:
        """Wait until all readers have all that any process saw, and add up."""
        await self._drain(awaited.heads)
        for reader in self._readers:
            reader.note_what_is_missing(awaited.heads.get(reader.log.name, 0))
        for _, speaker in self._speakers:
            speaker.note_what_is_missing()
        return self._counted()

    def leave(self) -> None:
        """Close all connections."""
        self._ears.close()
        for client in self._clients:
            client.leave()

    async def _take_seat(self, seat: Seat, gate: asyncio.Semaphore) -> None:
        plan = self._plan
        client = Client(seat.room, seat.is_slow, self._ears, self._dialect)
        log = self._logs.get(seat.room)
        if log is None:
            window_bytes = min(_LARGEST_WINDOW, max(64 * 1024, _LOG_BYTES // len(plan.seats)))
            log = self._logs[seat.room] = RoomLog(seat.room, window_bytes, self._tally.forget_range)
        reader = client.reader = Reader(seat.number, log, self._tally, self._stamps, client, self._dialect)
        if seat.speaker is not None:
            writer = MessageWriter(plan.run, seat.number, seat.room, plan.size)
            window = 0 if plan.rate else plan.window
            reader.speaker = Speaker(seat.number, writer, window, self._tally, client.say)
            self._speakers.append((seat.speaker, reader.speaker))
        self._clients.append(client)
        async with gate:
            await connect(plan.url, client, seat.token, seat.source)
        if seat.is_slow:
            log.readers.remove(reader)
        else:
            self._readers.append(reader)

    async def _speak_at_fixed_times(self, start: Start) -> None:
        """The open loop: the speakers of all processes take turns, each at its own times, answered or not."""
        interval_ns = self._plan.speakers / self._plan.rate * _NS
        share_ns = _NS / self._plan.rate
        alarm = Alarm()
        round_ = 0
        while self._speakers:
            for turn, (number, speaker) in enumerate(self._speakers):
                due_ns = start.start_ns + int(round_ * interval_ns + number * share_ns)
                if due_ns >= start.end_ns:
                    alarm.close()
                    return
                await alarm.until(due_ns)
                speaker.say(due_ns)
                if turn % _SENDS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            round_ += 1
        alarm.close()

    async def _until_all_came_back(self) -> None:
        """The closed loop runs by itself. Wait until all that was to be said came back, or nothing has for long."""
        came_back = -1
        waits_until_ns = 0
        while any(speaker.remaining or speaker.in_flight for _, speaker in self._speakers):
            now_ns = time.monotonic_ns()
            if self._tally.acknowledged != came_back:
                came_back = self._tally.acknowledged
                waits_until_ns = now_ns + int(GIVEN_UP_SECONDS * _NS)
            elif now_ns > waits_until_ns:
                self._gave_up = True
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _drain(self, heads: dict[str, int]) -> None:
        """Wait until nothing is missing and nothing more arrives; in vain, if nothing arrives for long."""
        quiet_ns = int(_QUIET_SECONDS * _NS)
        given_up_ns = int((_GIVEN_UP_AGAIN_SECONDS if self._gave_up else GIVEN_UP_SECONDS) * _NS)
        received = -1
        heard_ns = 0
        while True:
            self._tally.settle()
            now_ns = time.monotonic_ns()
            if received != self._tally.received:
                received, heard_ns = self._tally.received, now_ns
            silent_ns = now_ns - heard_ns
            if silent_ns >= quiet_ns and self._has_everything(heads):
                return
            if silent_ns >= given_up_ns:
                self._gave_up = True
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _has_everything(self, heads: dict[str, int]) -> bool:
        waiting = any(speaker.in_flight for _, speaker in self._speakers)
        return not waiting and all(
            reader.has_all_up_to(heads.get(reader.log.name, 0)) for reader in self._readers
        )

    def _counted(self) -> Counted:
        tally = self._tally
        return Counted(
            deliveries=tally.deliveries,
            deliveries_in_time=tally.deliveries_in_time,
            sent=tally.sent,
            sent_in_time=tally.sent_in_time,
            acknowledged=tally.acknowledged,
            acknowledged_in_time=tally.acknowledged_in_time,
            last_acknowledged_ns=tally.last_acknowledged_ns,
            other_entries=tally.other_entries,
            gaps=tally.gaps,
            missed_in_gaps=tally.missed_in_gaps,
            latency=tally.latency.counts(),
            latency_largest=tally.latency.largest,
            late_sends=tally.late_sends.counts(),
            late_sends_largest=tally.late_sends.largest,
            fault_counts=dict(tally.findings.counts),
            fault_words=tally.findings.words,
            rooms={name: RoomSeen(log.messages, log.digest) for name, log in self._logs.items()},
            cpu_seconds=self._cpu_seconds,
        )


async def serve() -> None:
    """Do what the lines on the standard input say."""
    worker = Worker(await _told(Plan))
    try:
        await worker.connect()
    except NotAdmittedError as refused:
        _answer(Failed(str(refused)))
        return
    gc.disable()  # nothing here goes in circles, and a pause of the collector would count as the server's
    _answer(Ready())
    _answer(await worker.run(await _told(Start)))
    _answer(await worker.count(await _told(AwaitHeads)))
    worker.leave()


async def _sleep_until(monotonic_ns: int) -> None:
    """The loop's own timer may end a little early."""
    while (left_ns := monotonic_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 (time passes, nobody sets it)
        await asyncio.sleep(max(0.001, left_ns / _NS))


async def _told(what: type[Told]) -> Told:
    """The next line of the input. Without one the bench is gone, and so is this process."""
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)
    if not line:
        raise SystemExit(0)
    return msgspec.json.decode(line, type=what)


def _answer(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run until the input ends."""
    run(serve())


if __name__ == "__main__":
    main()
