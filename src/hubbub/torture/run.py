"""A torture run: rounds of talk and faults, peace after each, and then every promise is looked at."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hubbub.torture.checker import Broken, Evidence, check
from hubbub.torture.plan import CLIENT_FAULTS, FAULTS, Round, Step, plan
from hubbub.torture.proxy import Proxy
from hubbub.torture.server import TortureError, VictimServer
from hubbub.torture.witness import Witness

PEACE_SECONDS: Final = 60.0  # in which all must have come back and caught up
_LOOK_SECONDS: Final = 0.05
_PRIVATE: Final = "torture private"


@dataclass(frozen=True)
class TortureOptions:
    """What to do to it."""

    seed: int
    rounds: int = 10
    seconds: float = 5.0  # of talk and faults, a round
    clients: int = 6
    rooms: int = 3
    faults: Sequence[str] = FAULTS
    keep: Path | None = None  # a folder for the data, which stays; none: one that is thrown away


@dataclass
class TortureResult:
    """What came of it."""

    seed: int
    rounds: int = 0
    entries: int = 0
    acknowledged: int = 0
    sent_again: int = 0
    connections: int = 0
    starts: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)


def torture(options: TortureOptions, say: Callable[[str], None]) -> TortureResult:
    """Run it; `say` gets a line a round. Ends with the first round that breaks a promise. Raises `TortureError`."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_Torture(options, options.keep, say).run())
    with tempfile.TemporaryDirectory(prefix="hubbub-torture-") as folder:
        return asyncio.run(_Torture(options, Path(folder), say).run())


class _Torture:
    def __init__(self, options: TortureOptions, folder: Path, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._server = VictimServer(folder)
        self._rooms = [f"torture {number}" for number in range(1, options.rooms + 1)]
        self._result = TortureResult(options.seed)
        self._witnesses: list[Witness] = []
        self._proxies: list[Proxy] = []
        self._tokens: list[str] = []
        self._hurting = asyncio.Lock()  # the server

    async def run(self) -> TortureResult:
        options = self._options
        names = [f"witness-{number}" for number in range(1, options.clients + 1)]
        self._tokens = await asyncio.to_thread(self._server.add_accounts, names)
        try:
            await self._server.start()
            await self._make_rooms(names)
            await self._make_witnesses(names)
            living = [asyncio.create_task(witness.live()) for witness in self._witnesses]
            try:
                for round_ in plan(
                    options.seed,
                    rounds=options.rounds,
                    seconds=options.seconds,
                    clients=options.clients,
                    faults=options.faults,
                ):
                    await self._round(round_)
                    if self._result.broken:
                        break
            finally:
                for witness in self._witnesses:
                    await witness.leave()
                for task in living:
                    task.cancel()
                await asyncio.gather(*living, return_exceptions=True)
            if not self._result.broken:
                await self._server.terminate()
        finally:
            for proxy in self._proxies:
                await proxy.stop()
            self._server.end()
        return self._result

    async def _make_rooms(self, names: list[str]) -> None:
        for room in self._rooms:
            await self._call(0, "POST", "/api/rooms", {"name": room})
        await self._call(0, "POST", "/api/rooms", {"name": _PRIVATE, "kind": "private"})
        for name in names[1:]:
            await self._call(0, "POST", f"/api/rooms/{urllib.parse.quote(_PRIVATE)}/members", {"user": name})

    async def _make_witnesses(self, names: list[str]) -> None:
        for number, name in enumerate(names):
            proxy = Proxy(self._server.port)
            await proxy.start()
            seed = f"{self._options.seed}:{name}"
            witness = Witness(name, self._tokens[number], [*self._rooms, _PRIVATE], seed)
            witness.port = proxy.port
            self._proxies.append(proxy)
            self._witnesses.append(witness)

    # --- a round

    async def _round(self, round_: Round) -> None:
        started = time.monotonic()
        for witness in self._witnesses:
            witness.talking = True
        managing = asyncio.create_task(self._manage_members(round_))
        hurting = [asyncio.create_task(self._commit(step)) for step in round_.steps]
        try:
            await asyncio.gather(asyncio.sleep(round_.seconds), *hurting)
        finally:
            managing.cancel()
            await asyncio.gather(managing, *hurting, return_exceptions=True)
        await self._peace()
        self._result.rounds = round_.number
        evidence = await self._evidence()
        self._result.broken = check(evidence)
        self._result.broken += [
            Broken("the server is never surprised", line) for line in self._server.complaints()
        ]
        self._count(round_, evidence)
        done = f"{self._result.entries} entries, {self._result.sent_again} requests sent again"
        kinds = ", ".join(sorted({step.fault for step in round_.steps})) or "no fault"
        took = time.monotonic() - started
        verdict = "ok" if not self._result.broken else f"{len(self._result.broken)} promises broken"
        self._say(
            f"round {round_.number} of {self._options.rounds}: {verdict}; {kinds}; {done}; {took:.0f} s"
        )

    async def _commit(self, step: Step) -> None:
        await asyncio.sleep(step.at_seconds)
        if step.fault in CLIENT_FAULTS:
            await _hurt(self._proxies[step.client], step)
            return
        async with self._hurting:  # on a slow machine the one before may last longer than was planned
            await self._hurt_server(step)

    async def _hurt_server(self, step: Step) -> None:
        server = self._server
        match step.fault:
            case "kill":
                await server.kill()
                await asyncio.sleep(step.seconds)
                await server.start()
            case "restart":
                await server.terminate()
                await server.start()
            case "pause":
                await server.pause(step.seconds)
            case "lock":
                await server.lock_database(step.seconds)
            case "full":
                await server.fill_disk(step.seconds)

    async def _manage_members(self, round_: Round) -> None:
        """Remove people from the private room, and invite them again."""
        chance = random.Random(f"{self._options.seed}:{round_.number}:members")  # noqa: S311 - to be repeated
        place = f"/api/rooms/{urllib.parse.quote(_PRIVATE)}/members"
        while True:
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            name = chance.choice(self._witnesses[1:]).record.name
            with suppress(OSError):
                await self._call(0, "DELETE", f"{place}/{name}")
            await asyncio.sleep(chance.uniform(0, 0.4))
            with suppress(OSError):
                await self._call(0, "POST", place, {"user": name})

    async def _peace(self) -> None:
        """No more faults and no more talk: all must come back, be answered, and catch up."""
        for proxy in self._proxies:
            proxy.heal()
        for witness in self._witnesses:
            witness.talking = False
        deadline = time.monotonic() + PEACE_SECONDS
        while True:
            heads = {room: len(self._log(room)) for room in [*self._rooms, _PRIVATE]}
            waiting = [witness for witness in self._witnesses if not witness.is_settled(heads)]
            if not waiting:
                return
            if time.monotonic() > deadline:
                told = "; ".join(witness.unsettled(heads) for witness in waiting[:3])
                raise TortureError(f"not all came back within {PEACE_SECONDS:.0f} s: {told}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _evidence(self) -> Evidence:
        rooms = [*self._rooms, _PRIVATE]
        return Evidence(
            logs={room: self._log(room) for room in rooms},
            records=[witness.record for witness in self._witnesses],
            shown={room: await self._shown(room) for room in rooms},
            private=frozenset({_PRIVATE}),
        )

    def _log(self, room: str) -> list[dict[str, Any]]:
        return [{"type": type_, **json.loads(body)} for type_, body in self._server.log_of(room)]

    async def _shown(self, room: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more, after = True, 0
        while more:
            page = await self._call(
                0, "GET", f"/api/rooms/{urllib.parse.quote(room)}/messages?after={after}&limit=200"
            )
            found += page["messages"]
            more, after = page["more"], found[-1]["seq"] if found else 0
        return found

    async def _call(self, who: int, method: str, path: str, body: object = None) -> Any:
        """One request, past the proxies. Raises `OSError` (`HTTPError` if it was refused)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._server.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._tokens[who]}", "Content-Type": "application/json"},
        )
        return await asyncio.to_thread(_answer, request)

    def _count(self, round_: Round, evidence: Evidence) -> None:
        result, records = self._result, evidence.records
        for step in round_.steps:
            result.faults[step.fault] = result.faults.get(step.fault, 0) + 1
        result.entries = sum(len(log) for log in evidence.logs.values())
        result.acknowledged = sum(len(record.acknowledged) for record in records)
        result.sent_again = sum(record.sent_again for record in records)
        result.connections = sum(record.connections for record in records)
        result.starts = self._server.starts


async def _hurt(proxy: Proxy, step: Step) -> None:
    match step.fault:
        case "cut":
            proxy.cut()
            return
        case "vanish":
            proxy.vanish()
            return
        case "hold-up":
            proxy.hold("up")
        case "hold-down":
            proxy.hold("down")
        case "drip":
            proxy.drip(50)
        case "delay":
            proxy.delay(0.1)
    await asyncio.sleep(step.seconds)
    proxy.heal()


def _answer(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None
