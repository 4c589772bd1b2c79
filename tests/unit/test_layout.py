"""How the package hangs together: read from the imports, so that it holds for what is written tomorrow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).resolve().parents[2] / "src"

# From the ground up. A module may import from its own layer and from those before it.
LAYERS: Final = (
    (
        "errors",
        "events",
        "frames",
        "compression",
        "settings",
        "clock",
        "limits",
        "names",
        "decoding",
        "figures",
        "logs",
        "origin",
        "pulse",
    ),
    ("log", "bus", "tickets"),
    ("outgoing", "passes", "room", "connection", "membership", "heartbeat"),
    ("hub", "handlers", "delivery", "presence", "heads"),
    ("chat", "accounts"),
    ("transport", "http"),
    ("bench",),
    ("maintenance", "testing", "torture"),
    ("server",),
    ("application",),
    ("cli",),
    ("__init__", "__main__"),
)
LAYER_OF: Final = {name: number for number, names in enumerate(LAYERS) for name in names}

# Rules decide; what does the work is handed to them. So these know no socket, no clock and no database, neither
# by themselves nor through what they import. Of another module's types they may know: `if TYPE_CHECKING:`.
RULES: Final = (
    *("errors", "events", "frames", "compression", "limits", "names", "decoding", "figures", "origin"),
    *("tickets", "outgoing", "passes", "room", "connection", "membership", "heartbeat"),
)
# The port by which time comes in as an argument; the machine's own clock stands beside it.
PORTS: Final = ("hubbub.clock",)
OUTSIDE: Final = {
    "a socket": {
        "http", "httptools", "httpx", "picows", "select", "selectors", "socket", "ssl", "starlette", "urllib",
        "uvicorn", "uvloop", "websockets",
    },
    "a clock": {"random", "sched", "time"},
    "a database": {"alembic", "psycopg", "sqlalchemy", "sqlite3"},
}  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One module of the package, as its source says."""

    name: str
    tree: ast.Module
    is_package: bool = False

    @property
    def part(self) -> str:
        """The name in the order of the layers: `hubbub.log.store` is of `log`."""
        names = self.name.split(".")
        return names[1] if len(names) > 1 else "__init__"


@dataclass(frozen=True)
class Import:
    """One name that a module takes from another when it runs."""

    by: Module
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.by.name}, line {self.line}: {self.target}"


def modules() -> list[Module]:
    """Every module of the package."""
    return [_read(path) for path in sorted((SOURCE / "hubbub").rglob("*.py"))]


def _read(path: Path) -> Module:
    names = path.relative_to(SOURCE).with_suffix("").parts
    is_package = names[-1] == "__init__"
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return Module(".".join(names[:-1] if is_package else names), tree, is_package)


def imports(module: Module) -> Iterator[Import]:
    """What `module` imports at run time, inside functions too, each with its full dotted name."""
    for node in _running(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            for alias in node.names:
                yield Import(module, node.lineno, f"{origin}.{alias.name}")


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`, which only the type checker reads."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for otherwise in child.orelse:
                yield otherwise
                yield from _running(otherwise)
        else:
            yield child
            yield from _running(child)


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    above = node.level - 1 if module.is_package else node.level
    names = module.name.split(".")
    base = names[: len(names) - above]
    return ".".join([*base, node.module] if node.module else base)


def _part_of(target: str) -> str:
    """The part that an import of `hubbub.…` reaches: a module or package, or the public names of `hubbub`."""
    names = target.split(".")
    if len(names) < 2:
        return "__init__"
    base = SOURCE / "hubbub" / names[1]
    return (
        names[1] if base.is_dir() or base.with_suffix(".py").is_file() or names[1] in LAYER_OF else "__init__"
    )


def upward(module: Module) -> list[str]:
    """The imports of `module` that reach a higher layer than its own."""
    return [
        f"{found} is above {module.part}"
        for found in imports(module)
        if found.target.split(".")[0] == "hubbub"
        and found.target != "hubbub.__version__"
        and LAYER_OF.get(_part_of(found.target), 0) > LAYER_OF.get(module.part, len(LAYERS))
    ]


def outside(module: Module) -> list[str]:
    """What `module` imports of sockets, clocks and databases."""
    return [
        f"{found} is {what}"
        for found in imports(module)
        for what, names in OUTSIDE.items()
        if found.target.split(".")[0] in names
    ]


def outside_at_last(module: Module, package: dict[str, Module]) -> list[str]:
    """What `module` and all that it makes Python load of the package import of sockets, clocks and databases."""
    return [
        f"{module.name} → {fault}" if loaded is not module else fault
        for loaded in loads(module, package)
        for fault in outside(loaded)
    ]


def loads(module: Module, package: dict[str, Module]) -> list[Module]:
    """`module` and the modules of the package that importing it loads, up to the ports."""
    loaded: dict[str, Module] = {}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current.name not in loaded and current.name not in PORTS:
            loaded[current.name] = current
            waiting += [
                package[name] for found in imports(current) for name in _loaded_by(found) & package.keys()
            ]
    return list(loaded.values())


def _loaded_by(found: Import) -> set[str]:
    """Every name on the way to the target, each a module perhaps, save `hubbub` itself, which only gives names."""
    names = found.target.split(".")
    return {".".join(names[:length]) for length in range(2, len(names) + 1)}


def reads_the_clock(module: Module) -> list[str]:
    """Where `module` asks the machine for the date instead of being told it."""
    return [
        f"{module.name}, line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("now", "utcnow", "today")
        and ast.unparse(node.func.value).split(".")[-1] in ("datetime", "date", "dt")
    ]


def test_every_module_has_its_place_in_the_order_of_layers() -> None:
    homeless = sorted({module.part for module in modules()} - LAYER_OF.keys())
    assert homeless == [], (
        f"add {', '.join(homeless)} to LAYERS in tests/unit/test_layout.py, where it belongs"
    )


def test_imports_point_one_way() -> None:
    assert [fault for module in modules() for fault in upward(module)] == []


def test_the_rules_import_no_socket_clock_or_database() -> None:
    package = {module.name: module for module in modules()}
    rules = [module for module in package.values() if module.part in RULES]
    assert [fault for rule in rules for fault in outside_at_last(rule, package) + reads_the_clock(rule)] == []


def test_every_public_module_says_what_it_is_for() -> None:
    public = [module for module in modules() if not module.name.split(".")[-1].startswith("_")]
    assert [module.name for module in public if not (ast.get_docstring(module.tree) or "").strip()] == []


@pytest.mark.parametrize(
    "source",
    [
        "from hubbub.cli import main",
        "import hubbub.cli",
        "from hubbub import cli",
        "from hubbub import Hub",
        "import hubbub",
        "from .cli import main",
        "from . import cli",
        "def f() -> None:\n    from hubbub.cli import main",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from hubbub.cli import main",
    ],
)
def test_an_import_that_points_up_is_seen_however_it_is_written(source: str) -> None:
    assert len(upward(Module("hubbub.room", ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from hubbub.errors import Refused",
        "from . import errors",
        "from hubbub import __version__, frames",
        "import json",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hubbub.cli import main",
    ],
)
def test_an_import_that_points_down_is_no_fault(source: str) -> None:
    assert upward(Module("hubbub.room", ast.parse(source))) == []


def test_an_import_between_modules_of_a_package_is_no_fault() -> None:
    package = Module("hubbub.log", ast.parse("from .store import Store"), is_package=True)
    inside = Module("hubbub.log.store", ast.parse("from . import schema\nfrom ..errors import Refused"))
    assert [*upward(package), *upward(inside)] == []


@pytest.mark.parametrize(
    "source", ["import time", "from sqlalchemy import select", "def f():\n    import socket"]
)
def test_a_rule_that_reaches_outside_is_seen(source: str) -> None:
    assert len(outside(Module("hubbub.room", ast.parse(source)))) == 1


def test_a_rule_that_reaches_outside_through_others_is_seen() -> None:
    rule = Module("hubbub.room", ast.parse("from hubbub.log.writer import Writer"))
    writer = Module("hubbub.log.writer", ast.parse("from hubbub.log import store"))
    store = Module("hubbub.log.store", ast.parse("import sqlalchemy"))
    package = {module.name: module for module in (rule, writer, store)}
    expected = "hubbub.room → hubbub.log.store, line 1: sqlalchemy is a database"
    assert outside_at_last(rule, package) == [expected]


def test_a_rule_is_told_the_time_through_the_port() -> None:
    rule = Module("hubbub.room", ast.parse("from hubbub.clock import Clock"))
    clock = Module("hubbub.clock", ast.parse("import time"))
    assert outside_at_last(rule, {module.name: module for module in (rule, clock)}) == []


@pytest.mark.parametrize("source", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()"])
def test_a_rule_that_asks_the_machine_for_the_date_is_seen(source: str) -> None:
    assert len(reads_the_clock(Module("hubbub.room", ast.parse(source)))) == 1
