"""The servers that Hubbub is measured beside: which they are, how each is started, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.place import SERVERS, NotInstalledError, Place, node_version, python_version
from hubbub.bench.server import last_line
from tools.build_web import node_folder

START_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
_END_SECONDS: Final = 5.0


class NotStartedError(Exception):
    """A peer did not start. The text says what it said last."""


@dataclass(frozen=True)
class RunningPeer:
    """A peer that serves at `url`, as process `pid` and those that come from it."""

    url: str
    pid: int


@dataclass(frozen=True)
class Peer:
    """A server beside others.

    `key` is what it is called on the command line, `dialect` one of `hubbub.bench.dialect`, `path` that of its address.
    `install` installs it, or raises `NotInstalledError`. `command` starts it on a port, from a folder that is empty at first.
    """

    key: str
    name: str
    how: str
    dialect: str
    path: str
    version: Callable[[Place], str]
    install: Callable[[Place], None]
    command: Callable[[Place, int, Path], Sequence[str]]

    @contextlib.contextmanager
    def running(self, place: Place) -> Iterator[RunningPeer]:
        """The peer, until the block ends. Raises `NotStartedError`, `NotInstalledError`."""
        port = _free_port()
        with tempfile.TemporaryDirectory(prefix="peer-") as folder:
            said = Path(folder) / "said"
            with said.open("wb") as output:
                process = subprocess.Popen(
                    self.command(place, port, Path(folder)),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            try:
                _wait_until_it_listens(process, port, said)
                yield RunningPeer(f"ws://127.0.0.1:{port}{self.path}", process.pid)
            finally:
                _end(process)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            last = last_line(said.read_text(errors="replace"))
            raise NotStartedError(f"it ended with status {process.returncode}: {last}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(_LOOK_SECONDS)
    raise NotStartedError(
        f"it did not listen within {START_SECONDS:.0f} s: {last_line(said.read_text(errors='replace'))}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that come from it, which are a group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


# --- how each is started


def _python(file: str) -> Callable[[Place, int, Path], Sequence[str]]:
    return lambda place, port, _: [str(place.python), str(SERVERS / file), str(port)]


def _uvicorn(app: str) -> Callable[[Place, int, Path], Sequence[str]]:
    options = ["--host", "127.0.0.1", "--log-level", "warning", "--app-dir", str(SERVERS), app]
    return lambda place, port, _: [str(place.python), "-m", "uvicorn", "--port", str(port), *options]


def _daphne(place: Place, port: int, folder: Path) -> Sequence[str]:
    shutil.copy(SERVERS / "with_channels.py", folder)
    options = ["-v", "0", "-b", "127.0.0.1", "-p", str(port), "with_channels:application"]
    return [str(place.python), "-m", "daphne", *options]


def _node(file: str) -> Callable[[Place, int, Path], Sequence[str]]:
    def command(place: Place, port: int, _: Path) -> Sequence[str]:
        program = place.node_modules.parent / file  # from here it finds what it imports
        shutil.copy(SERVERS / file, program)
        return [str(node_folder() / "node"), str(program), str(port)]

    return command


def _nginx(place: Place, port: int, folder: Path) -> Sequence[str]:
    nginx = place.nginx()
    if nginx is None:
        raise NotInstalledError("there is no nginx with nchan here")
    configuration = (SERVERS / "nchan.conf").read_text()
    filled = configuration.replace("@port@", str(port)).replace("@module@", str(nginx.module))
    (folder / "nginx.conf").write_text(filled)
    command = [str(nginx.program), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    if not nginx.own:
        return command
    # nchan makes a folder in /var/lib/nginx whatever it is told, so one that was not installed gets a /var/lib of its own.
    prepare = 'mount -t tmpfs none /var/lib && mkdir /var/lib/nginx && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", prepare, "sh", *command]


def _nginx_version(place: Place) -> str:
    nginx = place.nginx()
    if nginx is None:
        return ""
    said = subprocess.run([str(nginx.program), "-v"], capture_output=True, text=True, check=False).stderr
    version = _unpacked_version(place) if nginx.own else _installed_version()
    return f"{version} on nginx {said.strip().rpartition('/')[2]}"


def _installed_version() -> str:
    query = ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    except OSError:  # not every system with nginx is a Debian
        return ""
    return said.rpartition(":")[2]


def _unpacked_version(place: Place) -> str:
    """As the name of the package's file has it: ``libnginx-mod-nchan_1%3a1.3.6+dfsg-2_amd64.deb``."""
    files = list((place.folder / "debian").glob("libnginx-mod-nchan_*.deb"))
    return files[0].name.split("_")[1].rpartition("%3a")[2] if files else ""


def _of_python(*packages: str) -> Callable[[Place], str]:
    return lambda _: " ".join(_pair(package, python_version(package), packages) for package in packages)


def _of_node(package: str) -> Callable[[Place], str]:
    return lambda _: node_version(package)


def _pair(package: str, version: str, packages: Sequence[str]) -> str:
    return version if package == packages[0] else f"on {package} {version}"


PEERS: Final = (
    Peer(
        "nchan",
        "nchan",
        "one worker process; publisher and subscriber in one location; it passes on what was sent, without a number",
        "relay",
        "/ws",
        _nginx_version,
        Place.install_nchan,
        _nginx,
    ),
    Peer(
        "ws",
        "ws (Node.js)",
        "a `send()` for each open client, with bufferutil",
        "bare",
        "/ws",
        _of_node("ws"),
        Place.install_node,
        _node("with_ws.mjs"),
    ),
    Peer(
        "socketio",
        "Socket.IO (Node.js)",
        "`io.to(room).emit()`, with bufferutil",
        "socketio",
        "/socket.io/?EIO=4&transport=websocket",
        _of_node("socket.io"),
        Place.install_node,
        _node("with_socket.io.mjs"),
    ),
    Peer(
        "websockets",
        "websockets",
        "`broadcast()`, on uvloop",
        "bare",
        "/ws",
        _of_python("websockets"),
        Place.install_python,
        _python("with_websockets.py"),
    ),
    Peer(
        "starlette",
        "Starlette",
        "a `send_text()` for each member in turn, on `uvicorn[standard]`",
        "bare",
        "/ws",
        _of_python("starlette", "uvicorn"),
        Place.install_python,
        _uvicorn("with_starlette:app"),
    ),
    Peer(
        "python-socketio",
        "python-socketio",
        "`emit(to=room)`, on `uvicorn[standard]`",
        "socketio",
        "/socket.io/?EIO=4&transport=websocket",
        _of_python("python-socketio", "uvicorn"),
        Place.install_python,
        _uvicorn("with_python_socketio:app"),
    ),
    Peer(
        "channels",
        "Django Channels",
        "`group_send()`, on daphne, with the layer in memory: in production its documentation wants Redis",
        "bare",
        "/ws",
        _of_python("channels", "daphne"),
        Place.install_python,
        _daphne,
    ),
)
