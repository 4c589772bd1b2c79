"""Ask a public database (OSV, osv.dev) whether any pinned dependency has a known vulnerability.

Reads the pins of requirements/*.txt and of web/package-lock.json; sends names and versions, and nothing else. A known
vulnerability ends it with status 1. Where the database can't be reached that is said loudly, and the status is 0: a
machine without a network can still check everything else. ``--strict`` makes that a failure as well.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
DATABASE: Final = "https://api.osv.dev"
TIMEOUT_SECONDS: Final = 20.0
_BATCH: Final = 500
_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


class Pin(NamedTuple):
    """One dependency, as it is pinned."""

    ecosystem: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.ecosystem})"


def pins(root: Path) -> list[Pin]:
    """Every dependency that is pinned below `root`."""
    found = {
        Pin("PyPI", name.lower(), version)
        for path in root.glob("requirements/*.txt")
        for name, version in _PIN.findall(path.read_text(encoding="utf-8"))
    }
    lock = root / "web/package-lock.json"
    if lock.is_file():
        found.update(_npm(json.loads(lock.read_text(encoding="utf-8"))))
    return sorted(found)


def _npm(lock: dict[str, Any]) -> Iterator[Pin]:
    for path, package in lock.get("packages", {}).items():
        if "node_modules/" in path and "version" in package:
            name = package.get("name") or path.rpartition("node_modules/")[2]
            yield Pin("npm", name, package["version"])


def vulnerable(wanted: Sequence[Pin], database: str) -> dict[Pin, list[str]]:
    """The known vulnerabilities of each that has any. Raises `OSError` or `ValueError` where there is no answer."""
    found: dict[Pin, list[str]] = {}
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        queries = [
            {"package": {"ecosystem": pin.ecosystem, "name": pin.name}, "version": pin.version}
            for pin in batch
        ]
        results = _asked(database, {"queries": queries})["results"]
        for pin, result in zip(batch, results, strict=True):
            if ids := [one["id"] for one in result.get("vulns", [])]:
                found[pin] = ids
    return found


def _asked(database: str, question: object) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the address is ours, or the caller's own
        f"{database}/v1/querybatch",
        data=json.dumps(question).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
        found = json.load(answer)
    if not isinstance(found, dict) or "results" not in found:
        raise ValueError("the answer is none")
    return found


def main(arguments: Sequence[str]) -> int:
    """Ask, and print what there is; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--database", default=DATABASE, help=f"default: {DATABASE}")
    parser.add_argument("--strict", action="store_true", help="fail where the database can't be reached")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    wanted = pins(options.root)
    if not wanted:
        print("There is nothing pinned to ask about.", file=sys.stderr)
        return 1
    try:
        found = vulnerable(wanted, options.database)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        print(
            f"{'=' * 72}\nDEPENDENCIES NOT AUDITED: no answer from {options.database} ({reason}).\n"
            f"{len(wanted)} pinned dependencies may have known vulnerabilities. Run `make audit` with a network.\n"
            f"{'=' * 72}",
            file=sys.stderr,
        )
        return 1 if options.strict else 0
    for pin, ids in found.items():
        print(f"{pin}: {', '.join(ids)}: see {DATABASE.replace('api.', '')}/vulnerability/{ids[0]}")
    print(f"{len(wanted)} pinned dependencies, {len(found)} with a known vulnerability.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
