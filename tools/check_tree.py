"""The project's own rules about its tree, those that no other tool holds. `make check` runs it.

Prints one line for each fault and exits with status 1 if there is any. A line that must break a rule says why
in a comment that begins with ``tree: allow``.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
ALLOW: Final = "tree: allow"
MAX_BYTES: Final = 1_000_000
MAX_LINES: Final = 400  # of a module in src; a longer one wants to be two

# Written so that this file does not name what it looks for.
REGISTRY_HOSTS: Final = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|npmmirror\.com"
    r"|deb\.debian\.org|(?:archive|security)\.ubuntu\.com)\b",
    re.IGNORECASE,
)
MACHINE_PATHS: Final = re.compile(
    r"(?<![\w.])/(?:work|farm|root|Users)/[\w.]|(?<![\w.])/opt/(?:pypi|wheels)\b"
    r"|(?<![\w.])/tmp/(?:bash_jobs|notes|v)\b|\.\./(?:shared|steering)\b"
)

# Left out where there is no git to say what belongs to the project.
NOT_OURS: Final = {"build", "data", "dist", "node_modules", "__pycache__"}

Found = Iterator[tuple[int, str]]  # the number of a line, and what is wrong there


def main() -> int:
    """Check the whole tree; the exit status."""
    faults = [*check_files(project_files()), *check_pins()]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} to mend", file=sys.stderr)
    return 1 if faults else 0


def project_files() -> list[str]:
    """The project's files, relative to its root: those that git tracks or would add."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(listing, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        found = list(_walk())
    return sorted(name for name in set(found) if name and (ROOT / name).is_file())


def _walk() -> Iterator[str]:
    """Every file that is not plainly made or hidden: for a source archive, or a machine without git."""
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if name not in NOT_OURS and not name.startswith(".")]
        yield from (str((Path(folder) / name).relative_to(ROOT)) for name in files)


def check_files(names: list[str]) -> Iterator[str]:
    """Each fault in the files `names`, as ``path:line: what is wrong``."""
    for name in names:
        content = (ROOT / name).read_bytes()
        if len(content) > MAX_BYTES:
            yield f"{name}: {len(content):,} bytes; keep files over {MAX_BYTES:,} bytes out of the repository"
        if b"\0" not in content[:8192]:
            yield from check_text(name, content.decode("utf-8", "replace"))


def check_text(name: str, text: str) -> Iterator[str]:
    """Each fault in the text of the file `name`."""
    lines = text.splitlines()
    found = [*_names_places(lines)]
    if name.startswith("src/") and name.endswith(".py") and len(lines) > MAX_LINES:
        found.append((len(lines), f"over {MAX_LINES} lines; make it two modules"))
    if name.startswith("tests/") and name.endswith(".py"):
        found += _faults_of_tests(text)
    for number, what in sorted(found):
        if ALLOW not in lines[number - 1]:
            yield f"{name}:{number}: {what}"


def _names_places(lines: list[str]) -> Found:
    for number, line in enumerate(lines, 1):
        if host := REGISTRY_HOSTS.search(line):
            yield number, f"names the registry host {host[0]}; name the package alone"
        if path := MACHINE_PATHS.search(line):
            yield number, f"names a path of one machine ({path[0]}…)"


def _faults_of_tests(text: str) -> Found:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        yield error.lineno or 1, f"is not Python: {error.msg}"
    else:
        yield from _sleeps(tree)
        yield from _leaves_out(tree)


def _sleeps(tree: ast.Module) -> Found:
    """Tests wait for events. `asyncio.sleep(0)` only lets others run, and is no wait."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).split(".")[-1]
        if called == "sleep" and [ast.unparse(argument) for argument in node.args] != ["0"]:
            yield node.lineno, "a test sleeps; wait for the event instead"
        if called in ("perf_counter", "perf_counter_ns", "process_time"):
            yield node.lineno, "a test holds a stopwatch; turn the clock by hand instead"


def _leaves_out(tree: ast.Module) -> Found:
    """Tests run and say something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip"):
            yield node.lineno, "a test is left out"
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant):
            yield node.lineno, "asserts nothing"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield from _empty(node)


def _empty(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Found:
    if all(isinstance(line, ast.Pass) or _is_constant(line) for line in test.body):
        yield test.lineno, "an empty test"


def _is_constant(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def check_pins() -> Iterator[str]:
    """Each dependency in pyproject.toml that requirements/ does not pin."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = {"run": project["project"]["dependencies"], "build": groups["build"], "dev": groups["dev"]}
    for file, dependencies in wanted.items():
        pinned = set(
            re.findall(r"^([\w.-]+)==", (ROOT / f"requirements/{file}.txt").read_text(), re.MULTILINE)
        )
        for dependency in dependencies:
            if isinstance(dependency, str) and (name := re.split(r"[^\w.-]", dependency)[0]) not in pinned:
                yield f"pyproject.toml: {name} is not in requirements/{file}.txt; run make lock"


if __name__ == "__main__":
    sys.exit(main())
