"""Make what is made in the documents: the protocol's from the types, errors and settings, and the examples shown.

`make documents` runs it. With ``--check`` nothing is written: it prints a line for each document that differs, and
exits with status 1 if one does. A new kind of document is one more line in `DOCUMENTS`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.protocol import asyncapi, contract, markdown, shown, typescript
from tools.protocol.contract import Contract, ContractError

ROOT: Final = Path(__file__).resolve().parents[1]

DOCUMENTS: Final[Mapping[str, Callable[[Contract], str]]] = {
    "docs/protocol.md": markdown.render,
    "docs/asyncapi.json": asyncapi.render,
    "docs/application.md": lambda _contract: shown.render(shown.PAGE.read_text(encoding="utf-8")),
    "web/src/lib/client/wire.ts": typescript.render,
}


def make() -> Mapping[str, str]:
    """Each document's path and text. Raises `ContractError` where types and descriptions don't match."""
    found = contract.read()
    return {path: render(found) for path, render in DOCUMENTS.items()}


def differing(documents: Mapping[str, str], root: Path) -> list[str]:
    """The paths of documents that are not there, or not as they would be made."""
    return [
        path
        for path, text in documents.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the documents, or with ``--check`` compare them; the exit status."""
    try:
        documents = make()
    except ContractError as error:
        print(error, file=sys.stderr)
        return 1
    stale = differing(documents, ROOT)
    if list(arguments) == ["--check"]:
        for path in stale:
            print(f"{path} is not what it is made from; run make documents")
        return 1 if stale else 0
    if arguments:
        print("Usage: python -m tools.make_protocol [--check]", file=sys.stderr)
        return 2
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(documents[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
