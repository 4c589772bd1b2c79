"""Runs the load: starts the processes, has them connect, send and count, measures the server meanwhile, adds up."""

from __future__ import annotations

import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import IO, Final, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from hubbub.bench import process
from hubbub.bench.findings import Fault, Findings
from hubbub.bench.histogram import Histogram
from hubbub.bench.options import BadOptionError, BenchOptions
from hubbub.bench.plan import (
    Answer,
    AwaitHeads,
    Counted,
    Failed,
    Plan,
    Ready,
    RoomSeen,
    Start,
    Stopped,
    seats,
)

LATENCY_PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)

_SPARE_FILES: Final = 100
_START_SECONDS: Final = 0.2
_QUIET_SHARE: Final = 0.03
_QUIET_LOOK_SECONDS: Final = 0.25
_QUIET_AT_MOST_SECONDS: Final = 20.0
_FOREVER_SECONDS: Final = 24 * 3600.0
_NS: Final = 1_000_000_000

Expected = TypeVar("Expected", Ready, Stopped, Counted)


class LoadError(Exception):
    """The load could not be run. The text says why, in one line."""


@dataclass
class ServerFigures:
    """What the server used; None where that could not be measured.

    `cpu_seconds` is in the time measured, `connect_cpu_seconds` from the first connection until all had entered
    and the server was quiet again, and the memory is what it had grown by then.
    """

    cpu_seconds: float | None = None
    connect_cpu_seconds: float | None = None
    grown_kib: int | None = None
    resident_kib: int | None = None
    machine_cpu_seconds: float | None = None  # of everything on the machine, in the time measured


@dataclass
class Result:
    """What a run measured, in all processes together. Rates are of the `seconds` measured."""

    options: BenchOptions
    processes: int
    seconds: float
    deliveries: int
    deliveries_in_time: int
    sent_in_time: int
    acknowledged_in_time: int
    other_entries: int
    gaps: int
    missed_in_gaps: int
    generator_cpu_seconds: float
    generator_seconds: float
    latency: Histogram
    late_sends: Histogram
    findings: Findings
    server: ServerFigures = field(default_factory=ServerFigures)

    @property
    def deliveries_per_second(self) -> float:
        """Messages received by members, the sender's own included."""
        return self.deliveries_in_time / self.seconds

    @property
    def messages_per_second(self) -> float:
        """Messages sent."""
        return self.sent_in_time / self.seconds

    @property
    def acknowledged_per_second(self) -> float:
        """Messages that came back to their sender, and so are stored."""
        return self.acknowledged_in_time / self.seconds

    @property
    def server_cores(self) -> float | None:
        """How many cores the server kept busy."""
        return None if self.server.cpu_seconds is None else self.server.cpu_seconds / self.seconds

    @property
    def generator_cores(self) -> float:
        """How many cores the generator kept busy."""
        return self.generator_cpu_seconds / self.generator_seconds

    @property
    def other_cores(self) -> float | None:
        """How many cores others on the machine kept busy; what the server and the generator did not."""
        everything = self.server.machine_cpu_seconds
        if everything is None or self.server_cores is None:
            return None
        return max(0.0, everything / self.seconds - self.server_cores - self.generator_cores)

    @property
    def cpu_us_per_delivery(self) -> float | None:
        """Microseconds of the server's CPU for each delivery."""
        return _microseconds_each(self.server.cpu_seconds, self.deliveries_in_time)

    @property
    def cpu_us_per_message(self) -> float | None:
        """Microseconds of the server's CPU for each acknowledged message."""
        return _microseconds_each(self.server.cpu_seconds, self.acknowledged_in_time)

    @property
    def cpu_us_per_connect(self) -> float | None:
        """Microseconds of the server's CPU for each connection that shook hands and entered."""
        return _microseconds_each(self.server.connect_cpu_seconds, self.options.connections)

    @property
    def kib_per_connection(self) -> float | None:
        """Resident KiB that the server grew by, for each connection that entered."""
        return None if self.server.grown_kib is None else self.server.grown_kib / self.options.connections


def suitable_processes(connections: int) -> int:
    """How many processes suit this machine: a core is left to the server, and a process has 50 connections at least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores - 1, connections // 50))


def allow_open_files(needed: int) -> None:
    """Raise this process's limit of open files, and of those it starts. Raises `BadOptionError` if it is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed += _SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise BadOptionError(
            f"--connections: {needed} open files are needed, {hard} are allowed; raise it with `ulimit -n`"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def run(
    options: BenchOptions,
    url: str,
    tokens: list[str],
    server_pid: int | None,
    say: Callable[[str], None] = lambda line: None,
    dialect: str = "hubbub",
) -> Result:
    """Run the load against the server at `url`, which speaks one of `dialect.DIALECTS`. `say` is told what goes on.

    Raises `BadOptionError`, `LoadError`.
    """
    allow_open_files(options.connections)
    count = options.processes or suitable_processes(options.connections)
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker()) for _ in range(count)]
        return _Run(options, workers, server_pid, say).measure(_plans(options, url, tokens, count, dialect))


def _plans(options: BenchOptions, url: str, tokens: list[str], count: int, dialect: str) -> list[Plan]:
    run = secrets.token_hex(4)
    speakers = options.rooms * options.senders
    is_local = (urlsplit(url).hostname or "").startswith("127.")
    return [
        Plan(
            run=run,
            url=url,
            seats=taken,
            speakers=speakers,
            window=options.window,
            rate=options.rate,
            size=options.size,
            messages=options.messages,
            dialect=dialect,
        )
        for taken in seats(options, tokens, count, sources=is_local)
    ]


class _Run:
    """One run: the workers, the server, and what is measured of it."""

    def __init__(
        self,
        options: BenchOptions,
        workers: Sequence[_Worker],
        server_pid: int | None,
        say: Callable[[str], None],
    ) -> None:
        self._options = options
        self._workers = workers
        self._pid = server_pid
        self._say = say
        self._server = ServerFigures()

    def measure(self, plans: list[Plan]) -> Result:
        self._connect(plans)
        start = self._start()
        self._measure_cpu(start)
        stopped = [worker.expect(Stopped) for worker in self._workers]
        heads: dict[str, int] = {}
        for answer in stopped:
            for room, head in answer.heads.items():
                heads[room] = max(head, heads.get(room, 0))
        for worker in self._workers:
            worker.tell(AwaitHeads(heads))
        return self._sum(start, [worker.expect(Counted) for worker in self._workers])

    def _connect(self, plans: list[Plan]) -> None:
        cpu_before, kib_before = self._cpu(), self._resident()
        self._say(f"connecting {self._options.connections}")
        for worker, plan in zip(self._workers, plans, strict=True):
            worker.tell(plan)
        for worker in self._workers:
            worker.expect(Ready)
        self._wait_until_the_server_is_quiet()
        cpu_after, kib_after = self._cpu(), self._resident()
        if cpu_before is not None and cpu_after is not None:
            self._server.connect_cpu_seconds = cpu_after - cpu_before
        if kib_before is not None and kib_after is not None:
            self._server.grown_kib = kib_after - kib_before

    def _wait_until_the_server_is_quiet(self) -> None:
        """News of who came is sent for a while after the last one did; it belongs to connecting."""
        deadline = time.monotonic() + _QUIET_AT_MOST_SECONDS
        used = self._cpu()
        while time.monotonic() < deadline:
            time.sleep(_QUIET_LOOK_SECONDS)
            used_now = self._cpu()
            if used is None or used_now is None or used_now - used < _QUIET_SHARE * _QUIET_LOOK_SECONDS:
                return
            used = used_now

    def _start(self) -> Start:
        options = self._options
        warmup, seconds = (
            (0.0, _FOREVER_SECONDS) if options.messages is not None else (options.warmup, options.seconds)
        )
        start_ns = time.monotonic_ns() + int(_START_SECONDS * _NS)
        begin_ns = start_ns + int(warmup * _NS)
        start = Start(start_ns, begin_ns, begin_ns + int(seconds * _NS))
        self._say(
            f"sending for {warmup + seconds:g} s"
            if options.messages is None
            else f"sending {options.messages}"
        )
        for worker in self._workers:
            worker.tell(start)
        return start

    def _measure_cpu(self, start: Start) -> None:
        _sleep_until(start.begin_ns)
        before, machine_before = self._cpu(), process.machine_cpu_seconds()
        if self._options.messages is None:
            _sleep_until(start.end_ns)
        else:
            for worker in self._workers:
                worker.wait()
        after, machine_after = self._cpu(), process.machine_cpu_seconds()
        self._server.resident_kib = self._resident()
        if before is not None and after is not None:
            self._server.cpu_seconds = after - before
        if machine_before is not None and machine_after is not None:
            self._server.machine_cpu_seconds = machine_after - machine_before

    def _sum(self, start: Start, counted: Sequence[Counted]) -> Result:
        latency, late_sends, findings = Histogram(), Histogram(), Findings()
        for part in counted:
            latency.merge(Histogram(part.latency, part.latency_largest))
            late_sends.merge(Histogram(part.late_sends, part.late_sends_largest))
            findings.merge(part.fault_counts, part.fault_words)
        _compare_rooms([part.rooms for part in counted], findings)
        end_ns = start.end_ns
        if self._options.messages is not None:
            end_ns = max(part.last_acknowledged_ns for part in counted)
        seconds = max(end_ns - start.begin_ns, 1) / _NS
        return Result(
            options=self._options,
            processes=len(self._workers),
            seconds=seconds,
            deliveries=sum(part.deliveries for part in counted),
            deliveries_in_time=sum(part.deliveries_in_time for part in counted),
            sent_in_time=sum(part.sent_in_time for part in counted),
            acknowledged_in_time=sum(part.acknowledged_in_time for part in counted),
            other_entries=sum(part.other_entries for part in counted),
            gaps=sum(part.gaps for part in counted),
            missed_in_gaps=sum(part.missed_in_gaps for part in counted),
            generator_cpu_seconds=sum(part.cpu_seconds for part in counted),
            generator_seconds=max((end_ns - start.start_ns) / _NS, 1e-9),
            latency=latency,
            late_sends=late_sends,
            findings=findings,
            server=self._server,
        )

    def _cpu(self) -> float | None:
        return None if self._pid is None else process.cpu_seconds(self._pid)

    def _resident(self) -> int | None:
        return None if self._pid is None else process.resident_kib(self._pid)


class _Worker:
    """One process of the generator, told and heard line by line."""

    def __enter__(self) -> Self:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hubbub.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._ahead: bytes | None = None
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # it is gone already, and will not hear what was left to say
                    pipe.close()
        self._process.terminate()
        self._process.wait()
        self._errors.close()

    def tell(self, what: Plan | Start | AwaitHeads) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(what) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def wait(self) -> None:
        """Wait for the next answer, which `expect` then gives."""
        assert self._process.stdout is not None
        if self._ahead is None:
            self._ahead = self._process.stdout.readline()

    def expect(self, what: type[Expected]) -> Expected:
        """The next answer. Raises `LoadError`."""
        self.wait()
        line, self._ahead = self._ahead, None
        if not line:
            raise self._died()
        answer: Answer = msgspec.json.decode(line, type=Answer)
        if isinstance(answer, Failed):
            raise LoadError(answer.why)
        if not isinstance(answer, what):
            raise LoadError(f"a process of the bench answered {type(answer).__name__} out of turn")
        return answer

    def _died(self) -> LoadError:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return LoadError(f"a process of the bench ended: {lines[-1] if lines else self._process.returncode}")


def _compare_rooms(parts: Sequence[dict[str, RoomSeen]], findings: Findings) -> None:
    """A room that is spread over processes must have the same messages in all of them."""
    seen: dict[str, RoomSeen] = {}
    for rooms in parts:
        for name, room in rooms.items():
            first = seen.setdefault(name, room)
            if first != room:
                what = "other messages" if first.messages != room.messages else "messages with other bytes"
                findings.note(
                    Fault.DIFFERENCE, f"room {name}: one process of the bench received {what} than another"
                )


def _microseconds_each(cpu_seconds: float | None, count: int) -> float | None:
    return None if cpu_seconds is None or not count else cpu_seconds * 1e6 / count


def _sleep_until(monotonic_ns: int) -> None:
    time.sleep(max(0.0, (monotonic_ns - time.monotonic_ns()) / _NS))
