"""docs/application.md: the programs of examples/ put where the page shows them, so that what is shown is what runs.

A place is a comment that names the program, and a fenced block after it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.protocol.contract import ContractError

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "application.md"
_PLACE: Final = re.compile(r"<!-- (?P<path>examples/[\w./]+) -->\n(?P<fence>```\w+)\n.*?```\n", re.DOTALL)


def render(text: str) -> str:
    """The page `text` with the programs as they are now. Raises `ContractError` if one is not there."""

    def fill(place: re.Match[str]) -> str:
        program = ROOT / place["path"]
        if not program.is_file():
            raise ContractError(f"docs/application.md shows {place['path']}, which is not there.")
        source = program.read_text(encoding="utf-8")
        return f"<!-- {place['path']} -->\n{place['fence']}\n{source}```\n"

    return _PLACE.sub(fill, text)
