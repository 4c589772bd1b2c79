"""What keeps a server from starting: status 2, and one line that says what it is and how to mend it."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.support.fixtures import StartServer
from tests.support.server import WAIT_SECONDS, Accounts, environment, hubbub


def _line(*options: str, settings: Mapping[str, object] = MappingProxyType({})) -> str:
    """The one line with which `serve` ends."""
    return _checked(hubbub("serve", *options, settings=settings))


def _checked(ended: subprocess.CompletedProcess[str]) -> str:
    lines = [
        line for line in ended.stderr.splitlines() if not line.startswith("hubbub: making a new database")
    ]
    assert (ended.returncode, ended.stdout, len(lines)) == (2, "", 1), (ended.stdout, ended.stderr)
    assert lines[0].startswith("hubbub: ")
    assert len(lines[0]) < 300
    return lines[0].removeprefix("hubbub: ")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_said_and_what_to_do(port: int, tmp_path: Path) -> None:
    line = _line("--port", str(port), "--data", str(tmp_path))
    assert line == f"Port {port} is in use: end the other program, or choose another port with --port."


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "999.999.999.999"])
def test_a_host_that_is_not_ours_is_named(host: str, tmp_path: Path) -> None:
    line = _line("--host", host, "--data", str(tmp_path))
    assert host in line
    assert "--host" in line


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    for data in (file, file / "below"):
        line = _line("--port", "0", "--data", str(data))
        assert str(file) in line
        assert "--data" in line


def test_a_data_folder_that_can_not_be_made_is_said() -> None:
    assert "--data" in _line("--port", "0", "--data", "/proc/no/such/place")


def test_a_database_that_is_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "hubbub.db").mkdir()
    line = _line("--port", "0", "--data", str(tmp_path))
    assert "hubbub.db" in line


def test_a_file_that_is_no_database_is_left_alone_and_said(tmp_path: Path) -> None:
    file = tmp_path / "hubbub.db"
    file.write_bytes(b"this is a diary, and no database " * 100)
    line = _line("--port", "0", "--data", str(tmp_path))
    assert "hubbub restore" in line
    assert file.read_bytes().startswith(b"this is a diary")


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://localhost/x", "sqlite:////no/such/folder/here/x.db\0", "no-such-db://x", "://"],
)
def test_a_database_url_that_leads_nowhere_is_said(url: str, tmp_path: Path) -> None:
    if "\0" in url:
        url = f"sqlite:///{tmp_path}/file.txt/below/x.db"
        (tmp_path / "file.txt").write_text("")
    assert _line("--port", "0", "--database", url, "--data", str(tmp_path))


def test_a_password_in_a_database_url_is_not_shown() -> None:
    assert "hunter2" not in _line("--port", "0", "--database", "mysql://ada:hunter2@localhost/x")


def test_a_database_of_a_newer_version_is_not_touched(accounts: Accounts, tmp_path: Path) -> None:
    file = tmp_path / "hubbub.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()
    line = _line("--port", "0", "--data", str(tmp_path))
    assert "newer" in line
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_two_servers_do_not_work_on_one_database(start_server: StartServer) -> None:
    server = start_server()
    line = _line("--port", "0", "--data", str(server.data))
    assert "Another server works on" in line
    assert "--data" in line


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    # No file may grow beyond 4 blocks of 512 bytes, which is what a full disk is to SQLite.
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", sys.executable, "-m", "hubbub", "serve", "--port", "0"],
        env=environment({"data": tmp_path}),
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert "disk" in _checked(ended)


@pytest.mark.parametrize(
    ("options", "settings", "expected"),
    [
        ((), {"prot": 1}, "There is no setting HUBBUB_PROT in the environment. Did you mean HUBBUB_PORT?"),
        ((), {"limit_message": 1}, "Did you mean HUBBUB_LIMIT_MESSAGES?"),
        ((), {"qqqqqqqqqqqqqqqqqq": 1}, "`hubbub serve --help` lists them all."),
        (("--prot", "1"), {}, "No such option: --prot. Did you mean --port?"),
        (("--allow-origins", "x"), {}, "Did you mean --allow-origin?"),
        (("surplus",), {}, "surplus"),
        (("--port",), {}, "--port"),
        (("--port", "70000"), {}, "The setting port can't be"),
        (("--port", "-1"), {}, "The setting port can't be"),
        (("--port", "eighty"), {}, "The setting port can't be 'eighty'"),
        ((), {"port": ""}, "The setting port can't be"),
        ((), {"ping_seconds": "soon"}, "The setting ping_seconds can't be 'soon'"),
        ((), {"ping_seconds": 0}, "The setting ping_seconds can't be"),
        ((), {"limit_messages": -1}, "The setting limit_messages can't be"),
        ((), {"limit_messages": "nan"}, "The setting limit_messages can't be"),
        ((), {"make_rooms": "nobody"}, "The setting make_rooms can't be 'nobody'"),
        (("--log-level", "loud"), {}, "The setting log_level can't be 'loud'"),
        (("--allow-origin", "chat.example.org"), {}, "is no origin: write it like https://chat.example.org"),
        (("--allow-origin", "https://chat.example.org/"), {}, "is no origin"),
        (("--allow-origin", "https://"), {}, "is no origin"),
        (("--allow-origin", "https://*.example.org"), {}, "is no origin"),
        (("--allow-origin", "null"), {}, "is no origin"),
        (("--trust-proxy", "proxy"), {}, "write it like 127.0.0.1"),
        (("--static", "/no/such/folder"), {}, "The folder /no/such/folder is not there"),
        (("--tls-cert", "/no/such/cert.pem"), {}, "TLS needs both"),
        (("--tls-cert", "/no/such/cert.pem", "--tls-key", "/no/such/key.pem"), {}, "/no/such/cert.pem"),
        (("--bus", "nats://localhost"), {}, "--bus"),
    ],
)
def test_a_setting_that_can_not_be_is_named(
    options: tuple[str, ...], settings: dict[str, object], expected: str, tmp_path: Path
) -> None:
    line = _line(*options, settings={"port": 0, "data": tmp_path} | settings)
    assert expected in line


def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("not a certificate")
    line = _line(
        *("--port", "0", "--data", str(tmp_path)),
        *("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")),
    )
    assert "cert.pem" in line or "--tls-cert" in line
