"""What holds for the page's sources as text: one place makes markup, versions are exact, each package has a reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
MARKUP = re.compile(
    r"\{@html|\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write\b|setHTML|createContextualFragment"
    r"|\beval\(|new Function\b|srcdoc"
)
# Where Markdown becomes HTML, through DOMPurify.
MAKES_MARKUP = "src/lib/markdown/"


def test_text_becomes_markup_in_one_place_only() -> None:
    sources = [path for path in (WEB / "src").rglob("*") if path.suffix in (".ts", ".svelte")]
    assert sources
    faults = [
        f"{name}:{number}: {line.strip()}"
        for path in sources
        if not (name := path.relative_to(WEB).as_posix()).startswith(MAKES_MARKUP)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MARKUP.search(re.sub(r"//.*|<!--.*?-->", "", line))
    ]
    assert faults == []


def test_versions_are_exact_and_the_lock_has_their_hashes_and_no_address_to_load_them_from() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    locked = {name: entry for name, entry in lock.items() if name}
    assert [name for name, entry in locked.items() if "integrity" not in entry or "resolved" in entry] == []


def test_the_design_says_what_each_package_is_for() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    design = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    wanted = [*package["dependencies"], *package["devDependencies"]]
    assert [name for name in wanted if f"`{name}`" not in design] == []
