"""The doctor's findings on databases, disks, settings, ports, certificates and clocks, each real and each broken."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from hubbub.log.store import open_store
from hubbub.maintenance import machine
from hubbub.maintenance.certificates import CertificateError, Validity, validities
from hubbub.maintenance.database import newest_revision
from hubbub.maintenance.disk import check_disk, check_permissions, file_system
from hubbub.maintenance.doctor import examine
from hubbub.maintenance.findings import Finding, Level, as_json, as_text, fine, problem, problems, warning
from hubbub.maintenance.soundness import check_database
from hubbub.maintenance.surroundings import check_port, check_settings, check_static, check_tls
from hubbub.settings import SettingError, Settings
from tests.fakes import FakeClock
from tests.maintenance_data import (
    AT_MS,
    DAMAGES,
    left_by_a_kill,
    make_database,
    make_foreign,
    make_newer,
    snapshot,
)

TLS = Path(__file__).resolve().parents[1] / "tls"
BEGINS, ENDS = 1_795_464_356, 4_949_064_356  # of tests/tls/cert.pem
DAY = 86_400


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of data as `hubbub serve` leaves it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    make_database(folder / "hubbub.db")
    return folder


@pytest.fixture
def _good_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with room, and as many files as anyone wants, whatever these tests run on."""
    monkeypatch.setattr("hubbub.maintenance.disk.free_bytes", lambda _folder: 5_000_000_000)
    monkeypatch.setattr("hubbub.maintenance.disk._mounts", lambda: "")
    monkeypatch.setattr(resource, "getrlimit", lambda _limit: (1_024, 65_536))


def levels(findings: list[Finding]) -> dict[str, Level]:
    """The worst of each check."""
    worst: dict[str, Level] = {}
    for finding in sorted(findings, key=lambda finding: list(Level).index(finding.level)):
        worst[finding.check] = finding.level
    return worst


def only_one(findings: list[Finding], check: str) -> Finding:
    found = [finding for finding in findings if finding.check == check and finding.level is not Level.OK]
    assert len(found) == 1, findings
    return found[0]


# The whole


@pytest.mark.usefixtures("_good_machine")
def test_a_sound_server_has_no_problem(data: Path) -> None:
    findings = examine({"HUBBUB_DATA": str(data)}, {"port": str(_free_port())}, FakeClock())
    assert [finding for finding in findings if finding.level is Level.PROBLEM] == []
    assert {finding.check for finding in findings} == {
        *("settings", "versions", "folder", "disk", "permissions", "database", "journal", "tables", "log"),
        *("clock", "port", "open files"),
    }


@pytest.mark.usefixtures("_good_machine")
def test_a_fresh_machine_has_no_problem_and_nothing_is_made(tmp_path: Path) -> None:
    given = {"data": tmp_path / "none" / "data", "port": str(_free_port())}
    assert problems(examine({}, given, FakeClock())) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_leaves_everything_as_it_was(data: Path) -> None:
    left_by_a_kill(data / "hubbub.db")
    before = snapshot(data)
    examine({}, {"data": data, "port": "0"}, FakeClock())
    assert snapshot(data) == before


def test_what_keeps_the_doctor_from_looking_is_a_finding(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere")

    for module in ("disk", "database"):
        monkeypatch.setattr(f"hubbub.maintenance.{module}.free_bytes", refused)
    found = only_one(examine({}, {"data": data, "port": "0"}, FakeClock()), "folder")
    assert (found.level, found.found) == (Level.PROBLEM, "somewhere: permission denied")


def test_findings_read_well_by_people_and_programs() -> None:
    findings = [
        fine("clock", "2027-01-15T08:00:00.000Z"),
        warning("disk", "0.5 GB free", "Make room."),
        problem("port", "another program is there", "End it."),
    ]
    assert as_text(findings).splitlines() == [
        "ok       clock  2027-01-15T08:00:00.000Z",
        "warning  disk   0.5 GB free",
        "                → Make room.",
        "problem  port   another program is there",
        "                → End it.",
        "",
        "1 problem, 1 warning.",
    ]
    assert msgspec.json.decode(as_json(findings)) == {
        "ok": False,
        "checks": [
            {"check": "clock", "level": "ok", "found": "2027-01-15T08:00:00.000Z", "advice": ""},
            {"check": "disk", "level": "warning", "found": "0.5 GB free", "advice": "Make room."},
            {"check": "port", "level": "problem", "found": "another program is there", "advice": "End it."},
        ],
    }


# The database


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "an index that lost its rows"])
def test_a_damaged_database_is_a_problem_and_the_advice_is_to_restore(data: Path, damage: str) -> None:
    DAMAGES[damage](data / "hubbub.db")
    found = only_one(check_database(data / "hubbub.db").findings, "database")
    assert found.level is Level.PROBLEM
    assert "hubbub restore FILE" in found.advice


def test_the_newest_copy_beside_a_damaged_database_is_named(data: Path) -> None:
    for name, age in (("hubbub.before-0001.db", 10), ("hubbub.before-restore-x.db", 20)):
        (data / name).write_text("copy")
        os.utime(data / name, (age, age))
    DAMAGES["random bytes"](data / "hubbub.db")
    found = only_one(check_database(data / "hubbub.db").findings, "database")
    assert found.advice.endswith(f"The newest copy beside it: {data / 'hubbub.before-restore-x.db'}")


def test_another_programs_database_is_a_problem(tmp_path: Path) -> None:
    assert (
        only_one(check_database(make_foreign(tmp_path / "x.db")).findings, "database").level is Level.PROBLEM
    )


def test_a_newer_database_is_a_problem_and_the_advice_is_to_upgrade(tmp_path: Path) -> None:
    found = only_one(check_database(make_newer(tmp_path / "x.db")).findings, "database")
    assert (found.level, found.advice) == (Level.PROBLEM, "Install that one first.")


def test_an_older_database_is_a_warning(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = newest_revision()
    monkeypatch.setattr("hubbub.maintenance.database.newest_revision", lambda: "9999")
    found = only_one(check_database(data / "hubbub.db").findings, "tables")
    assert (found.level, found.found) == (Level.WARNING, f"of version {now}; this Hubbub's are 9999")


def test_a_log_without_an_epoch_is_a_warning(data: Path) -> None:
    _change(data, "DELETE FROM meta WHERE key = 'epoch'")
    assert only_one(check_database(data / "hubbub.db").findings, "tables").level is Level.WARNING


@pytest.mark.parametrize("seq", [1, 20])
def test_a_hole_in_a_log_is_a_problem(data: Path, seq: int) -> None:
    _change(data, f"DELETE FROM entries WHERE room_id = 2 AND seq = {seq}")
    found = only_one(check_database(data / "hubbub.db").findings, "log")
    first = 2 if seq == 1 else 1
    assert (found.level, found.found) == (
        Level.PROBLEM,
        f"numbers are missing in room-2: 39 entries from {first} to 40",
    )


def test_a_number_that_is_none_is_damage(data: Path) -> None:
    _change(data, "UPDATE entries SET at = 'noon' WHERE room_id = 2 AND seq = 20")
    found = only_one(check_database(data / "hubbub.db").findings, "database")
    assert found.found.endswith("numbers in it are none")


def test_a_database_without_its_log_under_a_running_server_is_a_problem(data: Path) -> None:
    _change(data, "PRAGMA journal_mode=DELETE")
    assert levels(check_database(data / "hubbub.db").findings)["journal"] is Level.OK
    with _server_lock(data):
        assert only_one(check_database(data / "hubbub.db").findings, "journal").level is Level.PROBLEM


def test_a_log_that_only_grows_is_a_warning(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.maintenance.soundness._LARGE_LOG_BYTES", 1_000)
    left_by_a_kill(data / "hubbub.db")
    assert only_one(check_database(data / "hubbub.db").findings, "journal").level is Level.WARNING


def test_a_database_mostly_unused_is_a_warning(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.maintenance.soundness._MUCH_FREE_BYTES", 1_000)
    path = make_database(data / "large.db", messages=400)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM entries WHERE seq > 10")
    assert only_one(check_database(path).findings, "database").level is Level.WARNING


def test_a_database_that_a_server_is_writing_to_is_looked_at(data: Path) -> None:
    store = open_store(f"sqlite:///{data / 'hubbub.db'}")
    try:
        store.write_now(lambda connection: connection.exec_driver_sql("UPDATE users SET role = 'admin'"))
        examined = check_database(data / "hubbub.db")
    finally:
        store.close()
    assert set(levels(examined.findings).values()) == {Level.OK}
    assert examined.newest_ms == AT_MS + 40


@pytest.mark.parametrize(
    "url", ["postgresql://ada:secret@localhost/chat", "nonsense", "sqlite://", "oracle:x"]
)
def test_a_database_that_is_no_file_of_sqlites_is_a_problem(url: str) -> None:
    findings = examine({}, {"database": url, "port": "0"}, FakeClock())
    assert only_one(findings, "database").level is Level.PROBLEM
    assert "secret" not in as_text(findings)


def _change(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "hubbub.db")) as connection, connection:
        connection.execute(statement)


@contextmanager
def _server_lock(data: Path) -> Iterator[None]:
    with (data / "hubbub.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# The disk


def test_a_data_folder_under_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file")
    found = only_one(list(check_disk(tmp_path / "notes" / "data" / "hubbub.db")), "folder")
    assert (found.level, found.found) == (
        Level.PROBLEM,
        f"{tmp_path / 'notes' / 'data'} can't be made: {tmp_path / 'notes'} is no folder",
    )


def test_a_file_in_place_of_the_data_folder_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert only_one(list(check_disk(tmp_path / "data" / "hubbub.db")), "folder").level is Level.PROBLEM


def test_a_folder_that_this_user_may_not_make_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = only_one(list(check_disk(tmp_path / "data" / "hubbub.db")), "folder")
    assert (found.level, "install -d -m 700" in found.advice) == (Level.PROBLEM, True)


def test_a_disk_that_takes_no_file_is_a_problem(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    found = only_one(list(check_disk(data / "hubbub.db")), "folder")
    assert (found.level, found.found) == (
        Level.PROBLEM,
        f"a test file in {data} could not be written: no space left on device",
    )
    assert [path.name for path in data.iterdir()] == ["hubbub.db"]


@pytest.mark.parametrize(
    ("free", "level"), [(10_000_000, Level.PROBLEM), (500_000_000, Level.WARNING), (5_000_000_000, Level.OK)]
)
def test_little_room_is_a_warning_and_hardly_any_a_problem(
    data: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr("hubbub.maintenance.disk.free_bytes", lambda _folder: free)
    monkeypatch.setattr("hubbub.maintenance.disk._mounts", lambda: "")
    assert levels(list(check_disk(data / "hubbub.db")))["disk"] is level


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /mnt rw - nfs4 server:/export rw
24 23 254:1 / /mnt/local rw master:3 - xfs /dev/vdb rw
25 22 0:22 / /with\\040spàce rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/mnt/chat", "nfs4"),
        ("/mnt/local/x", "xfs"),
        ("/mnts", "ext4"),
        ("/with spàce", "tmpfs"),
    ],
)
def test_the_kind_of_disk_is_that_of_the_innermost_mount(folder: str, kind: str) -> None:
    assert file_system(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(("kind", "level"), [("nfs4", Level.PROBLEM), ("tmpfs", Level.WARNING)])
def test_a_disk_that_is_none_is_not_well(
    data: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Level
) -> None:
    monkeypatch.setattr("hubbub.maintenance.disk._mounts", lambda: f"22 1 0:1 / / rw - {kind} x rw\n")
    monkeypatch.setattr("hubbub.maintenance.disk.free_bytes", lambda _folder: 5_000_000_000)
    assert only_one(list(check_disk(data / "hubbub.db")), "disk").level is level


@pytest.mark.parametrize(
    ("folder", "file", "level"),
    [
        (0o700, 0o644, Level.OK),
        (0o755, 0o600, Level.OK),
        (0o755, 0o644, Level.PROBLEM),
        (0o750, 0o640, Level.WARNING),
        (0o740, 0o644, Level.OK),
        (0o777, 0o600, Level.PROBLEM),
        (0o711, 0o606, Level.PROBLEM),
    ],
)
def test_data_that_others_may_read_or_change_is_no_secret(
    data: Path, folder: int, file: int, level: Level
) -> None:
    (data / "hubbub.db").chmod(file)
    data.chmod(folder)
    findings = list(check_permissions(data / "hubbub.db"))
    assert levels(findings) == {"permissions": level}
    if level is not Level.OK:
        assert f"chmod 700 {data}" in findings[0].advice


def test_a_copy_beside_the_database_that_others_may_read_is_found(data: Path) -> None:
    (data / "hubbub.db").chmod(0o600)
    copy = data / "hubbub.before-0001.db"
    copy.touch(mode=0o644)
    copy.chmod(0o644)
    data.chmod(0o755)
    assert f"chmod 600 {copy}" in only_one(list(check_permissions(data / "hubbub.db")), "permissions").advice


# Settings


def test_each_setting_that_can_not_be_used_is_named_and_the_others_count() -> None:
    environment = {
        "HUBBUB_PROT": "1",
        "HUBBUB_PING_SECONDS": "often",
        "HUBBUB_TLS_CERT": "cert.pem",
        "HUBBUB_PORT": "9000",
        "PATH": "/bin",
    }
    settings, findings = check_settings(environment, {"host": None})
    assert settings == Settings(port=9000)
    assert [(finding.level, finding.found) for finding in findings] == [
        (Level.PROBLEM, "TLS needs both a certificate and a key: give --tls-cert and --tls-key"),
        (Level.PROBLEM, "The setting ping_seconds can't be 'often': expected `float`, got `str`"),
        (Level.PROBLEM, "There is no setting HUBBUB_PROT in the environment. Did you mean HUBBUB_PORT?"),
    ]


def test_settings_that_can_be_used_are_well() -> None:
    environment = {"HUBBUB_TLS_CERT": "cert.pem", "HUBBUB_TLS_KEY": "key.pem"}
    settings, findings = check_settings(environment, {})
    assert (settings.tls, levels(findings)) == (True, {"settings": Level.OK})


def test_a_bad_option_is_bad_use() -> None:
    with pytest.raises(SettingError, match="port"):
        check_settings({}, {"port": "many"})


# The port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _answering(answer: bytes) -> Iterator[int]:
    """A program at a port that gives everyone the same answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(("serving", "level"), [(True, Level.OK), (False, Level.PROBLEM)])
def test_a_hubbub_at_the_port_is_well_if_it_works_on_this_database(serving: bool, level: Level) -> None:
    with _answering(OK) as port:
        assert check_port(Settings(port=port), serving=serving).level is level


@pytest.mark.parametrize("answer", [UNAVAILABLE, b"220 mail.example.org ESMTP\r\n", b"\0" * 100])
def test_another_program_at_the_port_is_a_problem(answer: bytes) -> None:
    with _answering(answer) as port:
        found = check_port(Settings(port=port), serving=False)
    assert (found.level, found.found) == (Level.PROBLEM, f"another program is at 127.0.0.1:{port}")


@pytest.mark.parametrize(("serving", "level"), [(False, Level.OK), (True, Level.WARNING)])
def test_a_free_port_is_well_unless_a_server_listens_elsewhere(serving: bool, level: Level) -> None:
    assert check_port(Settings(port=_free_port()), serving=serving).level is level


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_a_problem(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "hubbub.maintenance.surroundings._answer", lambda _settings: ""
    )  # not over the network
    found = check_port(Settings(host=host, port=_free_port()), serving=False)
    assert (found.level, found.found) == (Level.PROBLEM, f"{host!r} is no address of this machine")


def test_a_port_that_this_user_may_not_have_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    port = _free_port()
    monkeypatch.setattr(socket, "create_server", refused)
    assert (
        check_port(Settings(port=port), serving=False).found
        == f"this user may not listen at 127.0.0.1:{port}"
    )


# TLS


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    folder = tmp_path / "tls"
    shutil.copytree(TLS, folder)
    for file in folder.iterdir():
        file.chmod(0o600)
    return folder


@pytest.mark.parametrize(
    ("now", "level"),
    [
        (BEGINS - DAY, Level.PROBLEM),
        (BEGINS + DAY, Level.OK),
        (ENDS - 15 * DAY, Level.OK),
        (ENDS - 13 * DAY, Level.WARNING),
        (ENDS, Level.PROBLEM),
    ],
)
def test_a_certificate_is_good_in_its_time_only(tls: Path, now: int, level: Level) -> None:
    settings = Settings(tls_cert=tls / "cert.pem", tls_key=tls / "key.pem")
    assert [finding.level for finding in check_tls(settings, now)] == [level]


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("none.pem", "key.pem", "can't be read: no such file or directory"),
        ("cert.pem", "none.pem", "can't be read: no such file or directory"),
        ("cert.pem", "other-key.pem", "is not the key of"),
        ("cert.pem", "locked-key.pem", "is locked with a passphrase"),
        ("key.pem", "key.pem", "can't be used"),
        ("cert.pem", "cert.pem", "can't be used"),
        ("noise.pem", "key.pem", "can't be used"),
    ],
)
def test_tls_files_that_a_server_can_not_use_are_a_problem(tls: Path, cert: str, key: str, said: str) -> None:
    (tls / "noise.pem").write_bytes(bytes(range(256)))
    findings = list(check_tls(Settings(tls_cert=tls / cert, tls_key=tls / key), BEGINS + DAY))
    assert [finding.level for finding in findings] == [Level.PROBLEM]
    assert said in findings[0].found


def test_a_key_that_everyone_may_read_is_a_problem(tls: Path) -> None:
    (tls / "key.pem").chmod(0o644)
    findings = list(check_tls(Settings(tls_cert=tls / "cert.pem", tls_key=tls / "key.pem"), BEGINS + DAY))
    assert [finding.level for finding in findings] == [Level.OK, Level.PROBLEM]
    assert findings[1].advice == f"chmod 600 {tls / 'key.pem'}"


def test_the_certificate_that_ends_first_counts(tls: Path) -> None:
    chain = tls / "chain.pem"
    chain.write_bytes((TLS / "cert.pem").read_bytes() + (TLS / "version-1.pem").read_bytes())
    assert validities(chain.read_bytes()) == [Validity(BEGINS, ENDS), Validity(BEGINS, BEGINS + 30 * DAY)]
    settings = Settings(tls_cert=chain, tls_key=tls / "key.pem")
    assert [finding.level for finding in check_tls(settings, BEGINS + 31 * DAY)] == [Level.PROBLEM]


@pytest.mark.parametrize("body", [b"", b"MAA=", b"MAMCAQE=", b"!!!!", b"MIIB", b"MIL/////////"])
def test_what_is_no_certificate_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(CertificateError):
        validities(b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----\n")


def test_without_tls_nothing_is_said_of_it() -> None:
    assert list(check_tls(Settings(), BEGINS)) == []


# Pages


def test_a_folder_of_pages_is_there_and_has_a_first_one(tmp_path: Path) -> None:
    assert list(check_static(Settings())) == []
    settings = Settings(static=tmp_path / "pages")
    assert levels(list(check_static(settings))) == {"pages": Level.PROBLEM}
    (tmp_path / "pages").mkdir()
    assert levels(list(check_static(settings))) == {"pages": Level.WARNING}
    (tmp_path / "pages" / "index.html").write_text("<!doctype html>")
    assert levels(list(check_static(settings))) == {"pages": Level.OK}


# The machine


@pytest.mark.parametrize(
    ("now", "newest", "level"),
    [
        (1_800_000_000, None, Level.OK),
        (1_800_000_000, 1_800_000_059_000, Level.OK),
        (1_800_000_000, 1_800_000_061_000, Level.PROBLEM),
        (0, None, Level.PROBLEM),
        (5_000_000_000, None, Level.PROBLEM),
        (1e18, None, Level.PROBLEM),
    ],
)
def test_a_clock_is_of_our_days_and_not_before_the_log(now: float, newest: int | None, level: Level) -> None:
    assert machine.clock(now, newest).level is level


@pytest.mark.parametrize(
    ("hard", "level"),
    [
        (-1, Level.OK),
        (10_100, Level.OK),
        (10_099, Level.WARNING),
        (1_024, Level.PROBLEM),
        (50, Level.PROBLEM),
    ],
)
def test_ten_thousand_connections_need_as_many_files(hard: int, level: Level) -> None:
    found = machine.open_files(hard)
    assert found.level is level
    if level is not Level.OK:
        assert "LimitNOFILE=65536" in found.advice
        assert "ulimit -n 65536" in found.advice


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 40, 1), Level.WARNING),
        ((3, 44, 5), Level.WARNING),
        ((3, 44, 6), Level.OK),
        ((3, 45, 0), Level.WARNING),
        ((3, 50, 6), Level.WARNING),
        ((3, 50, 7), Level.OK),
        ((3, 51, 2), Level.WARNING),
        ((3, 51, 3), Level.OK),
        ((3, 53, 0), Level.OK),
        ((4, 0, 0), Level.OK),
    ],
)
def test_a_sqlite_with_a_known_fault_is_a_warning(version: tuple[int, ...], level: Level) -> None:
    assert machine.versions(sqlite=version).level is level
