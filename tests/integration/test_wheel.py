"""What a release is made of: the archive of the sources, and the wheel made from it, which needs no repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.support.server import WAIT_SECONDS, Server, running

ROOT: Final = Path(__file__).parents[2]


def test_a_wheel_made_from_the_archive_of_the_sources_serves_the_page_without_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = unpacked(made("sdist", ROOT, tmp_path), tmp_path / "sources")
    # A page that was built here must not do for one that is built there; what it is built with may.
    shutil.rmtree(sources / "src/hubbub/static", ignore_errors=True)
    (sources / "web/node_modules").symlink_to(ROOT / "web/node_modules")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(made("wheel", sources, tmp_path)) as wheel:
        wheel.extractall(installed)
    shutil.rmtree(sources)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    asked = [sys.executable, "-P", "-c", "import hubbub; print(hubbub.__file__)"]
    used = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    assert used == str(installed / "hubbub/__init__.py")
    with running(Server(tmp_path)) as server:
        page = read(f"{server.url}/")
        assert '<div id="app">' in page
        script = re.search(r'<script type="module"[^>]* src="(/-/[^"]+)"', page)
        assert script is not None
        assert len(read(server.url + script[1])) > 10_000
        assert "http://localhost" in server.banner[0]


def made(kind: str, project: Path, folder: Path) -> Path:
    """The archive or the wheel of a project, made as `python -m build --no-isolation` makes it."""
    out = folder / kind
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(out)],
        cwd=project,
        check=True,
        capture_output=True,
        timeout=4 * WAIT_SECONDS,
    )
    (found,) = out.iterdir()
    return found


def unpacked(archive: Path, folder: Path) -> Path:
    """The one folder in an archive."""
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found


def read(url: str) -> str:
    """What is at an address."""
    with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
        assert answer.status == 200
        return str(answer.read().decode())
