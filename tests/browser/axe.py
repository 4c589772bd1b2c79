"""axe-core over a page: what breaks WCAG 2.2 AA as far as a program can tell."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

_SOURCE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


@cache
def _source() -> str:
    return _SOURCE.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """What breaks the rules, a line each: the rule, where, and why."""
    # Not as a script on the page, which its policy forbids.
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(f"() => {{ {_source()} }}")
    found: list[dict[str, Any]] = await page.evaluate(
        """async (rules) => (await axe.run(document, {runOnly: rules, resultTypes: ['violations']})).violations
             .flatMap(({id, nodes}) => nodes.map(({target, failureSummary}) => ({id, target, failureSummary})))""",
        list(RULES),
    )
    return [
        f"{one['id']} at {' '.join(map(str, one['target']))}: {' '.join(one['failureSummary'].split())}"
        for one in found
    ]
