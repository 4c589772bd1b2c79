"""What the documents say is there: settings, commands, links, metrics, requests. And both READMEs say the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from starlette.routing import Route
from typer.core import TyperGroup

from hubbub import cli
from hubbub.http.files import LINKS, PLACES
from hubbub.http.metrics import HubCollector
from hubbub.hub import Hub
from hubbub.maintenance.commands import add_to
from hubbub.server import Service, service
from hubbub.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUNNING = (ROOT / "docs/running.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
README_ZH = (ROOT / "README.zh-TW.md").read_text(encoding="utf-8")


# --- settings


def _shown(value: object) -> str:
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_the_table_of_settings_has_each_of_them_with_its_option_and_its_default() -> None:
    options = {name for parameter in _command("serve").params for name in parameter.opts}
    rows = dict(re.findall(r"^\| `(HUBBUB_\w+)` \| (.*) \|$", RUNNING, re.MULTILINE))
    assert set(rows) == {ENVIRONMENT_PREFIX + name.upper() for name in Settings.__struct_fields__}
    for name in Settings.__struct_fields__:
        cells = [cell.strip() for cell in rows[ENVIRONMENT_PREFIX + name.upper()].split("|")]
        option = f"--{name.replace('_', '-')}"
        expected = [f"`{option}`"] if option in options else []
        assert cells[:-1] == [*expected, _shown(getattr(Settings(), name))], name


def test_every_setting_that_a_page_names_is_one() -> None:
    known = {ENVIRONMENT_PREFIX + name.upper() for name in Settings.__struct_fields__}
    others = {"HUBBUB_BROWSER", "HUBBUB_BENCH"}
    for page in PAGES:
        named = set(re.findall(r"\bHUBBUB_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
        assert named <= known | others, page.name


# --- commands


def _commands() -> TyperGroup:
    app = typer.Typer()
    app.registered_commands = list(cli.app.registered_commands)
    app.registered_groups = list(cli.app.registered_groups)
    add_to(app)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def _command(*names: str) -> Any:
    command: Any = _commands()
    for name in names:
        command = command.commands[name]
    return command


def _command_lines(text: str) -> Iterator[str]:
    """Each call of `hubbub` that a page shows, in a line of code or in a block."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for code in [*lines, *spans]:
        found = re.search(r"(?:^\s*|bin/|\$\()hubbub ([a-z-][^)#]*)", code)
        if found:
            yield found[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_command_and_option_that_a_page_shows_is_there(page: Path) -> None:
    for line in _command_lines(page.read_text(encoding="utf-8")):
        command: Any = _commands()
        for word in line.split():
            if isinstance(command, TyperGroup) and not word.startswith("-"):
                for name in word.split("|"):
                    assert name in command.commands, f"hubbub {line}"
                command = command.commands[word.split("|")[0]]
            elif word.startswith("--"):
                options = {name for parameter in command.params for name in parameter.opts} | {
                    "--help",
                    "--version",
                }
                assert word.split("=")[0] in options, f"hubbub {line}"


def test_the_page_on_running_names_every_command() -> None:
    def paths(group: TyperGroup, before: str) -> Iterator[str]:
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from paths(command, f"{before} {name}")
            else:
                yield f"{before} {name}"

    missing = [path for path in paths(_commands(), "hubbub") if path not in RUNNING]
    assert missing == []


# --- links


def _anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    ):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        anchors.add(f"{slug}-{count}" if count else slug)
    return anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(linked.read_text(encoding="utf-8")), f"{page.name}: {target}"


# --- requests, metrics


async def _served(tmp_path: Path) -> tuple[set[tuple[str, str]], list[str]]:
    """The requests that a server answers, and its metrics."""
    async with service(Settings(data=tmp_path), Hub()) as parts:
        return set(_requests(parts)), [metric.name for metric in HubCollector(parts.hub).collect()]


def _requests(parts: Service) -> Iterator[tuple[str, str]]:
    for route in parts.app.routes:
        if isinstance(route, Route):
            yield from ((method, route.path) for method in (route.methods or {"GET"}) - {"HEAD"})


@pytest.mark.asyncio
async def test_the_protocol_has_every_request_and_no_other(tmp_path: Path) -> None:
    protocol = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    table = protocol.partition("## Over HTTP")[2]
    told = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[\w/{}-]*)`", table))
    # The WebSocket has a chapter of its own.
    pages = {("GET", path) for path in (*LINKS, *PLACES, "/ws")}
    requests, _ = await _served(tmp_path)
    assert told == requests - pages


@pytest.mark.asyncio
async def test_the_page_on_running_has_every_metric_and_no_other(tmp_path: Path) -> None:
    told = re.findall(r"^\| `(hubbub_\w+)` \|", RUNNING, re.MULTILINE)
    _, metrics = await _served(tmp_path)
    assert sorted(name.removesuffix("_total") for name in told) == sorted(metrics)


# --- the design


def test_the_design_gives_a_reason_for_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *groups["build"], *groups["dev"]]
    names = [re.split(r"[^\w.-]", one)[0] for one in wanted if isinstance(one, str)]
    assert [name for name in names if f"`{name}`" not in DESIGN] == []


def test_the_layout_in_the_design_is_the_layout() -> None:
    tree = DESIGN.partition("src/hubbub/\n")[2].partition("\ntests/")[0]
    told = re.findall(r"^  ([\w.]+)(/?)", tree, re.MULTILINE)
    source = ROOT / "src/hubbub"
    modules = {path.name for path in source.glob("*.py")}
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    assert {name for name, slash in told if not slash} == modules
    assert {name for name, slash in told if slash} == packages


# --- the two READMEs


def _skeleton(text: str) -> dict[str, Any]:
    """What has to be the same in both languages."""
    code = re.findall(r"^ *```.*?^ *```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    bench = text.partition("<!-- bench -->")[2].partition("<!-- /bench -->")[0]
    return {
        "headings": [len(level) for level in re.findall(r"^(#+) ", prose, re.MULTILINE)],
        "code": code,
        "links": [link for link in re.findall(r"\]\(([^)]+)\)", prose) if not link.startswith("README")],
        "items": len(re.findall(r"^- |^\d\. ", prose, re.MULTILINE)),
        "rows": [line.split("|")[1].strip() for line in prose.splitlines() if re.match(r"\| [A-Z]", line)],
        "figures": re.findall(r"\d[\d.,]*", bench),
    }


def test_both_readmes_say_the_same_with_the_same_figures() -> None:
    assert json.dumps(_skeleton(README_ZH), indent=1) == json.dumps(_skeleton(README), indent=1)


@pytest.mark.parametrize("readme", [README, README_ZH], ids=["en", "zh-TW"])
def test_a_readme_has_one_place_for_figures(readme: str) -> None:
    assert readme.count("<!-- bench -->") == readme.count("<!-- /bench -->") == 1
    assert readme.index("<!-- bench -->") < readme.index("<!-- /bench -->")
