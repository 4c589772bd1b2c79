"""One server, put together and run: the database, accounts, the hub with the chat, HTTP and the WebSocket on a port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import gc
import random
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Final

import structlog
import uvicorn
from starlette.applications import Starlette

from hubbub import __version__, logs
from hubbub.accounts.service import Accounts
from hubbub.chat import add_chat
from hubbub.chat.rooms import Rooms, ensure_general
from hubbub.chat.search import Search
from hubbub.clock import Clock, SystemClock
from hubbub.connection import Client
from hubbub.errors import FORBIDDEN, Refused, restarting
from hubbub.http.app import create_app
from hubbub.http.context import Context
from hubbub.http.figures import ServerFigures, figure_routes
from hubbub.http.history import history_routes
from hubbub.http.metrics import metrics_routes
from hubbub.http.rooms import room_routes
from hubbub.http.search import search_routes
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.migrate import NewerDatabase
from hubbub.log.store import StoreError, in_memory, open_store, parsed_url
from hubbub.settings import Settings
from hubbub.tickets import Tickets
from hubbub.transport.door import Door
from hubbub.transport.http import HttpProtocol
from hubbub.transport.ring import Ring, open_ring
from hubbub.transport.websocket import protocol_factory

TEND_SECONDS: Final = 0.5
CLOSE_GRACE_SECONDS: Final = 3.0
# The writer's thread wants the interpreter while the loop delivers; 5 ms, Python's own, would be its wait each time.
_SWITCH_SECONDS: Final = 0.0005

logger = structlog.get_logger(__name__)


class StartError(Exception):
    """The server can't start; the text says why and what to do, in one line."""


class Service:
    """The parts of one server in a running event loop. Made by `service`."""

    def __init__(self, hub: Hub, app: Starlette, door: Door, accounts: Accounts, ring: Ring | None) -> None:
        self.hub = hub
        self.app = app
        self.door = door
        self.accounts = accounts
        self.ring = ring


@contextlib.asynccontextmanager
async def service(settings: Settings, hub: Hub, clock: Clock | None = None) -> AsyncIterator[Service]:
    """A server's parts, working, until the block ends. Raises `StartError`.

    For `run`, and for applications that mount `Service.app` in their own.
    """
    clock = clock or SystemClock()
    if settings.bus:
        raise StartError("There is no bus between nodes yet: leave --bus and HUBBUB_BUS out.")
    with _only_one(settings):
        try:
            store = await asyncio.to_thread(open_store, settings.database_url)
        except (StoreError, NewerDatabase) as error:
            raise StartError(str(error)) from None
        try:
            if "enter" not in hub.event_types:
                add_chat(hub)
            ring = open_ring() if settings.io_uring else None
            await hub.start(settings, store, clock, await store.read(queries.epoch), multicast=ring)
            rooms = Rooms(hub)
            hub.directory = rooms
            await ensure_general(hub)
            accounts = Accounts(store, settings, clock)
            hub.handlers.on_refused = _noting(accounts)
            tickets = Tickets(clock, settings.ticket_seconds)
            context = Context(settings, clock, store, accounts, tickets, hub, __version__)
            figures = ServerFigures(hub, settings, clock)
            routes = [
                *room_routes(rooms),
                *history_routes(hub, rooms),
                *search_routes(Search(hub, rooms)),
                *figure_routes(figures),
                *metrics_routes(hub),
            ]
            door = Door(settings, hub, tickets, accounts.by_token, accounts.audit.note)
            tending = asyncio.create_task(_tend(accounts, hub, figures))
            try:
                yield Service(hub, create_app(context, routes), door, accounts, ring)
            finally:
                tending.cancel()
                await hub.writer.drained()
                hub.indexing.stop()
                await accounts.close()
                if ring is not None:
                    ring.close()
        finally:
            store.close()


def _noting(accounts: Accounts) -> Callable[[Client, Refused], None]:
    """What leaves an entry in the audit log for what is forbidden on a socket."""

    def note(client: Client, refused: Refused) -> None:
        if refused.refusal is FORBIDDEN:
            accounts.audit.note("forbidden", who=client.name, address="")

    return note


async def _tend(accounts: Accounts, hub: Hub, figures: ServerFigures) -> None:
    """Notice what the command line did, what expired, and how much was written."""
    while True:
        figures.note()
        await asyncio.sleep(TEND_SECONDS)
        try:
            await accounts.tend(lambda: [client.identity for client in hub.clients])
        except Exception:
            logger.exception("accounts not tended")


def run(settings: Settings, hub: Hub | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit status. Raises `StartError` and `SettingError` before it listens."""
    logs.set_up(settings)
    _raise_open_files()
    sys.setswitchinterval(_SWITCH_SECONDS)
    listener = _listen(settings)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(settings, hub or Hub(), listener))
    finally:
        listener.close()


async def _serve(settings: Settings, hub: Hub, listener: socket.socket) -> int:
    async with service(settings, hub) as parts:
        HttpProtocol.head_seconds = settings.handshake_seconds
        config = uvicorn.Config(
            parts.app,
            http=HttpProtocol,
            ws=protocol_factory(parts.door, parts.ring),  # type: ignore[arg-type]
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            backlog=4096,
        )
        _load(config)
        setup_secret = await parts.accounts.offer_setup()
        # What is there by now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        server = _Server(config, hub, settings, lambda: _announce(settings, listener, setup_secret))
        await server.serve(sockets=[listener])
        return 0


def _load(config: uvicorn.Config) -> None:
    """Read the certificate, if there is to be one. Raises `StartError`."""
    try:
        config.load()
    except OSError as error:
        reason = f"{error.strerror or error}".partition(" (_ssl")[0]
        raise StartError(
            f"The certificate {config.ssl_certfile} with the key {config.ssl_keyfile} can't be used: {reason}. "
            "Give both as PEM files, the one for the other, with --tls-cert and --tls-key."
        ) from None


class _Server(uvicorn.Server):
    """uvicorn's server, but on a signal it first has the hub finish, and then ends with status 0."""

    def __init__(
        self, config: uvicorn.Config, hub: Hub, settings: Settings, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._settings = settings
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and then say so: who waits for that may connect, and end it, at once."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, write and deliver what was accepted, tell everyone when to come back."""
        ends_at = asyncio.get_running_loop().time() + self._settings.shutdown_seconds
        for listening in self.servers:
            listening.close()
        spread_seconds = self._settings.restart_spread_seconds
        self._hub.accepting = False
        try:
            async with asyncio.timeout(self._settings.shutdown_seconds / 2):
                # What a handler is still to submit was accepted as well.
                while any(client.busy for client in self._hub.clients):  # noqa: ASYNC110 - as below
                    await asyncio.sleep(0.01)
                await self._hub.stop(spread_seconds)
        except TimeoutError:
            logger.error("not everything was written in time", pending=self._hub.writer.pending)
            for client in list(self._hub.clients):
                client.close(restarting(spread_seconds * random.random()))  # noqa: S311 - no secret
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_GRACE_SECONDS):
                while self._hub.clients:  # noqa: ASYNC110 - it is the last thing that happens
                    await asyncio.sleep(0.05)
        for client in list(self._hub.clients):
            client.transport.abort()
        # Requests that are still to arrive, or to be answered, have what is left of the time.
        left_seconds = ends_at - asyncio.get_running_loop().time()
        self.config.timeout_graceful_shutdown = max(1, int(left_seconds))
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn raises the signal once more at the end, which would be the exit status."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True


def _announce(settings: Settings, listener: socket.socket, setup_secret: str | None) -> None:
    host, port = listener.getsockname()[:2]
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104 - not a binding
    base = f"{'https' if settings.tls else 'http'}://{shown}:{port}"
    lines = [
        f"Hubbub {__version__} at {base}",
        f"Data in {_place(settings)}",
    ]
    if setup_secret is not None:
        lines += [
            "There is no account yet. Make the administrator's, once, at",
            f"  {base}/setup#{setup_secret}",
        ]
    print("\n".join(lines), flush=True)  # noqa: T201 - for the person who started it
    logger.info("serving", host=host, port=port, version=__version__)


def _place(settings: Settings) -> str:
    url = parsed_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        return url.render_as_string(hide_password=True)
    return "memory, and gone at the end" if in_memory(url) else str(url.database)


def _listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises `StartError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=4096)
    except OSError as error:
        raise StartError(_listen_advice(settings, error)) from None


def _listen_advice(settings: Settings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is in use: end the other program, or choose another port with --port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {where}: choose a port above 1023 with --port."
    if (error.errno or -1) < 0 or error.errno == errno.EADDRNOTAVAIL:  # negative: the resolver's
        return f"{settings.host!r} is no address of this machine: choose another with --host."
    return f"Can't listen on {where}: {error.strerror or error}."


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold a lock beside a SQLite database, so that one server at a time writes its log. Raises `StartError`."""
    try:
        url = parsed_url(settings.database_url)
    except StoreError as error:
        raise StartError(str(error)) from None
    if url.get_backend_name() != "sqlite" or in_memory(url) or not url.database:
        yield
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock: IO[str] = path.with_name(path.name + ".lock").open("w")
    except OSError as error:
        raise StartError(
            f"The data folder {path.parent} can't be used: {error.strerror}. Give another with --data."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(
                f"Another server works on {path}: end it first, or give another folder with --data."
            ) from None
        yield


def _raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
