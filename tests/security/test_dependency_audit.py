"""The audit of dependencies: what is asked, what fails, and what does not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tools.audit_dependencies import main, pins

ROOT = Path(__file__).resolve().parents[2]


class Database(BaseHTTPRequestHandler):
    """Knows one vulnerability: of `bad` 1.0. Answers nonsense if it is told to."""

    asked: list[dict[str, Any]]
    nonsense = False

    def do_POST(self) -> None:
        """Answer one question."""
        queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        self.asked.extend(queries)
        known = {"package": {"ecosystem": "PyPI", "name": "bad"}, "version": "1.0"}
        results = [{"vulns": [{"id": "TEST-1"}]} if query == known else {} for query in queries]
        body = b"<html>" if self.nonsense else json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as it is called
        """Say nothing."""


@pytest.fixture
def database() -> Iterator[str]:
    Database.asked, Database.nonsense = [], False
    with HTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def project(folder: Path, text: str) -> Path:
    """A project with these pins."""
    (folder / "requirements").mkdir()
    (folder / "requirements/run.txt").write_text(text)
    (folder / "web").mkdir()
    packages = {"": {}, "node_modules/@a/b": {"version": "2.0"}}
    (folder / "web/package-lock.json").write_text(json.dumps({"packages": packages}))
    return folder


def asked(database: str, folder: Path, *more: str) -> int:
    return main(["--database", database, "--root", str(folder), *more])


def test_a_known_vulnerability_fails_and_is_named(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, "good==2.1 \\\n    --hash=sha256:00\nBad==1.0 ; python_version > '3'\n")
    assert asked(database, folder) == 1
    assert "bad 1.0 (PyPI): TEST-1" in capsys.readouterr().out
    assert [query["package"]["name"] for query in Database.asked] == ["bad", "good", "@a/b"]


def test_without_one_it_passes(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(database, project(tmp_path, "bad==1.1\n")) == 0
    assert "2 pinned dependencies, 0 with a known vulnerability" in capsys.readouterr().out


def test_a_database_out_of_reach_is_said_loudly_and_fails_only_if_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path, "good==1.0\n")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert asked(address, folder) == 0
        assert "DEPENDENCIES NOT AUDITED" in capsys.readouterr().err
        assert asked(address, folder, "--strict") == 1


def test_an_answer_that_is_none_is_no_clean_bill(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Database.nonsense = True
    assert asked(database, project(tmp_path, "bad==1.0\n")) == 0
    assert "DEPENDENCIES NOT AUDITED" in capsys.readouterr().err


def test_every_dependency_of_this_project_is_asked_about() -> None:
    found = pins(ROOT)
    assert {(pin.ecosystem, pin.name) for pin in found} >= {
        ("PyPI", "starlette"),
        ("PyPI", "websockets"),
        ("npm", "svelte"),
    }
    assert all(pin.version for pin in found)


def test_it_is_part_of_what_has_to_pass() -> None:
    assert "audit" in (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2].splitlines()[0]
