"""Where the peers are installed, and how: in folders of their own below build/peers, nothing of which `make run` or `make test` needs."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import build_web

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
SERVERS: Final = HERE / "servers"
REQUIREMENTS: Final = ROOT / "requirements" / "bench-peers.txt"

_DEBIAN_PACKAGES: Final = ("nginx", "libnginx-mod-nchan")
_NGINX: Final = Path("usr/sbin/nginx")
_NCHAN: Final = Path("usr/lib/nginx/modules/ngx_nchan_module.so")
_NODE_FILES: Final = ("package.json", "package-lock.json", ".npmrc")


class NotInstalledError(Exception):
    """A peer is not here. The text says why, in one line."""


@dataclass(frozen=True)
class Nginx:
    """An nginx with nchan. `own` is whether it was unpacked for the bench, and is not of the system."""

    program: Path
    module: Path
    own: bool


@dataclass(frozen=True)
class Place:
    """The folder that all peers are in."""

    folder: Path = ROOT / "build" / "peers"

    @property
    def python(self) -> Path:
        """The Python that has the peers written in Python."""
        return self.folder / "python" / "bin" / "python"

    @property
    def node_modules(self) -> Path:
        """Beside it, programs find the peers written for Node.js."""
        return self.folder / "node" / "node_modules"

    def has_python(self) -> bool:
        """Whether what is installed there is what the requirements name."""
        stamp = self.folder / "python" / "installed"
        return stamp.is_file() and stamp.read_text() == _digest(REQUIREMENTS)

    def has_node(self) -> bool:
        """Whether what is installed there is what the lock names."""
        folder = self.node_modules.parent
        lock = folder / "package-lock.json"
        return (
            lock.is_file()
            and lock.read_bytes() == (HERE / lock.name).read_bytes()
            and build_web.is_installed(folder)
        )

    def nginx(self) -> Nginx | None:
        """The system's nginx, if it has nchan, or the one that was unpacked here."""
        for root in (Path("/"), self.folder / "debian"):
            if (root / _NGINX).is_file() and (root / _NCHAN).is_file():
                return Nginx(root / _NGINX, root / _NCHAN, own=root != Path("/"))
        return None

    def install_python(self) -> None:
        """Install the peers written in Python, unless they are there. Raises `NotInstalledError`."""
        if self.has_python():
            return
        _say("the peers in Python")
        folder = self.folder / "python"
        shutil.rmtree(folder, ignore_errors=True)
        _do([sys.executable, "-m", "venv", str(folder)], "no environment can be made for it")
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _do([*pip, "--require-hashes", "-r", str(REQUIREMENTS)], "pip could not install it")
        (folder / "installed").write_text(_digest(REQUIREMENTS))

    def install_node(self) -> None:
        """Install the peers written for Node.js, unless they are there. Raises `NotInstalledError`."""
        if self.has_node():
            return
        folder = self.node_modules.parent
        folder.mkdir(parents=True, exist_ok=True)
        for name in _NODE_FILES:
            shutil.copy(HERE / name, folder / name)
        _say("the peers for Node.js")
        said = io.StringIO()
        try:
            tools = build_web.node_folder()
            with contextlib.redirect_stderr(said):  # it speaks of the page there
                build_web.install(folder, tools)
        except build_web.BuildError as error:
            lines = said.getvalue().strip().splitlines()[1:]
            why = f"npm could not install it: {lines[0]}" if lines else "there is no Node.js here"
            raise NotInstalledError(why) from error

    def install_nchan(self) -> None:
        """Unpack Debian's packages here, where there is apt, unless nginx and nchan are there. Raises `NotInstalledError`."""
        if self.nginx() is not None:
            return
        if shutil.which("apt-get") is None or shutil.which("unshare") is None:
            raise NotInstalledError("there is no nginx with nchan here, and no Debian to take it from")
        _say("nginx and nchan")
        folder = self.folder / "debian"
        folder.mkdir(parents=True, exist_ok=True)
        _do(["apt-get", "--quiet", "download", *_DEBIAN_PACKAGES], "apt-get could not download it", folder)
        for package in folder.glob("*.deb"):
            _do(["dpkg-deb", "-x", str(package), str(folder)], "it could not be unpacked")
        if self.nginx() is None:
            raise NotInstalledError("Debian's packages have no nginx with nchan")


def python_version(package: str) -> str:
    """The version that the requirements name."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    return found[1] if found else ""


def node_version(package: str) -> str:
    """The version that the lock names."""
    lock = json.loads((HERE / "package-lock.json").read_bytes())
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def _say(what: str) -> None:
    print(f"Installing {what}, into build/peers", file=sys.stderr, flush=True)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _do(command: list[str], otherwise: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotInstalledError(f"{otherwise}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstalledError(f"{otherwise}: {said[-1] if said else f'status {done.returncode}'}")
