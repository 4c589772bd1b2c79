"""The command line, as somebody who types finds it."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from hubbub import cli
from hubbub.accounts import bearer, passwords, people, sessions
from hubbub.accounts.revision import revision
from hubbub.accounts.secret import digest
from hubbub.accounts.sessions import Visit
from hubbub.cli import users
from hubbub.log.store import Store, open_store
from hubbub.settings import Settings

T = TypeVar("T")

NOW = 1_800_000_000_000


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder, with this on standard input."""
    for variable in [name for name in os.environ if name.startswith("HUBBUB_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        captured = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Said(end.value.code, captured.out, captured.err)

    return run_command


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that `serve` was run with."""
    import hubbub.server

    settings: list[Settings] = []

    def note(given: Settings) -> int:
        settings.append(given)
        return 0

    monkeypatch.setattr(hubbub.server, "run", note)
    return settings


def database(folder: Path) -> Store:
    """The database that the commands have made."""
    return open_store(f"sqlite:///{folder / 'data' / 'hubbub.db'}")


def found(folder: Path, query: Callable[..., T]) -> T:
    """What is in it."""
    store = database(folder)
    try:
        return store.read_now(query)
    finally:
        store.close()


def one_line(said: Said, status: int) -> str:
    """The one line that a failure is told in."""
    assert said.status == status
    assert said.err.startswith("hubbub: ")
    assert said.err.count("\n") == 1
    return said.err.removeprefix("hubbub: ").rstrip("\n")


# --- help, versions, bad use


def test_help_names_every_command(run: Run) -> None:
    said = run("--help")
    assert said.status == 0
    for command in ("serve", "user", "room", "bench"):
        assert command in said.out
    assert run().out == said.out
    assert "reset-password" in run("user").out
    assert "list" in run("room").out


def test_the_help_of_serve_names_every_setting(run: Run) -> None:
    said = run("serve", "--help").out
    for name in Settings.__struct_fields__:
        assert f"--{name.replace('_', '-')}" in said or f"HUBBUB_{name.upper()}" in said


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("host", "127.0.0.1"),
        ("port", "8082"),
        ("data", "data"),
        ("log_format", "auto"),
        ("log_level", "info"),
    ],
)
def test_the_defaults_in_the_help_are_the_settings_own(run: Run, name: str, shown: str) -> None:
    assert str(getattr(Settings(), name)) == shown
    assert f"[default: {shown}]" in " ".join(run("serve", "--help").out.split())


def test_the_version_is_the_packages(run: Run) -> None:
    from hubbub import __version__

    assert run("--version") == Said(0, f"hubbub {__version__}\n", "")


def test_help_is_quick_as_it_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom hubbub.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'alembic', 'argon2', 'msgspec', 'starlette', 'uvicorn', 'asyncio', 'structlog', 'rich'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded []\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--prot", "1"], ["No such option: --prot. Did you mean --port?"]),
        (["sevre"], ["No such command 'sevre'", "Did you mean", "'serve'"]),
        (["user", "lst"], ["No such command 'lst'", "'list'"]),
        (["user", "add"], ["Missing argument 'name'."]),
        (["user", "add", "a", "b"], ["unexpected extra argument", "(b)"]),
        (["bench", "--connections", "many"], ["--connections"]),
    ],
)
def test_bad_use_is_told_in_one_line_with_the_nearest_right_one(
    run: Run, arguments: list[str], said: list[str]
) -> None:
    line = one_line(run(*arguments), 2)
    assert [part for part in said if part not in line] == []


# --- serve


def test_serve_gives_the_server_what_was_typed_over_what_the_environment_says(
    run: Run, served: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_PORT", "9000")
    monkeypatch.setenv("HUBBUB_HOST", "::1")
    assert (
        run(
            "serve",
            "--port",
            "9001",
            "--allow-origin",
            "https://a.test",
            "--allow-origin",
            "https://b.test",
            "--trust-proxy",
            "10.0.0.1",
            "--static",
            "front",
            "--log-level",
            "debug",
            "--data",
            "d",
        ).status
        == 0
    )
    assert served == [
        Settings(
            host="::1",
            port=9001,
            data=Path("d"),
            allow_origin=("https://a.test", "https://b.test"),
            trust_proxy=("10.0.0.1",),
            static=Path("front"),
            log_level="debug",
        )
    ]


def test_serve_with_nothing_given_has_the_defaults(run: Run, served: list[Settings]) -> None:
    assert run("serve").status == 0
    assert served == [Settings()]


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--port", "abc"], {}, "The setting port can't be 'abc': expected `int`, got `str`."),
        (
            [],
            {"HUBBUB_PROT": "1"},
            "There is no setting HUBBUB_PROT in the environment. Did you mean HUBBUB_PORT?",
        ),
        (["--tls-cert", "x"], {}, "TLS needs both a certificate and a key: give --tls-cert and --tls-key."),
    ],
)
def test_settings_that_can_not_be_are_told_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert one_line(run("serve", *arguments), 2) == said


def test_a_server_that_can_not_start_says_why_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "--data" in one_line(run("serve", "--data", "file/below", "--port", "0"), 2)


def test_a_status_of_the_servers_is_the_status_of_the_command(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hubbub.server

    monkeypatch.setattr(hubbub.server, "run", lambda _settings: 3)
    assert run("serve").status == 3


def test_ctrl_c_makes_no_noise(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import hubbub.server

    def interrupted(_settings: Settings) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(hubbub.server, "run", interrupted)
    assert run("serve") == Said(130, "", "")


def test_a_bug_is_one_line_and_with_debugging_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import hubbub.server

    def bug(_settings: Settings) -> int:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(hubbub.server, "run", bug)
    assert "ZeroDivisionError: oh no" in one_line(run("serve"), 1)
    monkeypatch.setenv("HUBBUB_LOG_LEVEL", "debug")
    with pytest.raises(ZeroDivisionError):
        cli.main(["serve"])


# --- users


def test_an_account_made_here_can_log_in(run: Run, tmp_path: Path) -> None:
    said = run(
        "user",
        "add",
        "Ada",
        "--role",
        "owner",
        "--display-name",
        "Ada L.",
        "--password-stdin",
        stdin="correct horse\n",
    )
    assert (said.status, said.out) == (0, "Added Ada (owner).\n")
    ada = found(tmp_path, lambda c: people.find(c, "ada"))
    assert (ada.name, ada.display_name, ada.role) == ("Ada", "Ada L.", "owner")
    kept = found(tmp_path, lambda c: c.exec_driver_sql("SELECT password FROM users").scalar_one())
    assert passwords.verified("correct horse", kept).right


def test_the_password_is_typed_twice_and_not_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: typed.pop(0))
    monkeypatch.setattr(users, "_at_a_terminal", lambda: True)
    typed[:] = ["correct horse", "correct hose"]
    assert "The two passwords are not the same." in one_line(run("user", "add", "ada"), 2)
    typed[:] = ["correct horse", "correct horse"]
    said = run("user", "add", "ada")
    assert said.status == 0
    assert "correct" not in said.out + said.err
    assert [one.name for one in found(tmp_path, people.listed)] == ["ada"]


def test_without_a_terminal_the_way_to_give_a_password_is_named(run: Run) -> None:
    assert "use --password-stdin" in one_line(run("user", "add", "ada"), 2)


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "said"),
    [
        (["a b"], "", 1, "A name is letters and digits"),
        (["ada", "--role", "king"], "", 1, "A role is one of owner, admin, member, bot."),
        (["ada"], "short\n", 1, "A password has at least 8 characters."),
        (["ada"], "", 1, "A password has at least 8 characters."),
        (["Bob"], "correct horse\n", 1, "The name Bob is taken."),
    ],
)
def test_what_can_not_be_an_account_is_told_in_one_line(
    run: Run, arguments: list[str], stdin: str, status: int, said: str
) -> None:
    assert run("user", "add", "bob", "--role", "bot").status == 0
    assert said in one_line(run("user", "add", *arguments, "--password-stdin", stdin=stdin), status)


def test_a_bot_has_no_password_and_a_token_that_works(run: Run, tmp_path: Path) -> None:
    assert run("user", "add", "robot", "--role", "bot").status == 0
    said = run("user", "token", "Robot", "--label", "ci")
    token = said.out.strip()
    assert said.out.startswith("hub_")
    assert found(tmp_path, lambda c: bearer.find(c, [digest(token)]))[digest(token)].identity.name == "robot"
    assert run("user", "token", "robot", "--revoke").out == "Revoked 1 of the tokens of robot.\n"
    assert found(tmp_path, lambda c: bearer.find(c, [digest(token)])) == {}
    assert found(tmp_path, revision) == 1


def test_accounts_are_listed_with_what_an_administrator_needs(run: Run) -> None:
    run("user", "add", "olga", "--role", "owner", "--password-stdin", stdin="correct horse\n")
    run("user", "add", "robot", "--role", "bot", "--display-name", "The Robot")
    run("user", "disable", "robot")
    assert run("user", "list").out == ("olga   owner   active\nrobot  bot     disabled     The Robot\n")
    run("user", "enable", "ROBOT")
    assert "robot  bot     no password  The Robot" in run("user", "list").out


def test_what_is_done_here_is_seen_by_a_running_server(run: Run, tmp_path: Path) -> None:
    run("user", "add", "olga", "--role", "owner", "--password-stdin", stdin="correct horse\n")
    run("user", "add", "ada", "--password-stdin", stdin="correct horse\n")
    numbers = [found(tmp_path, revision)]
    store = database(tmp_path)
    ada = store.read_now(lambda c: people.find(c, "ada"))
    store.write_now(lambda c: sessions.create(c, ada.id, digest("x"), Visit(), now=NOW, expires_at=NOW * 2))
    store.close()
    said = run("user", "reset-password", "ADA", "--password-stdin", stdin="battery staple\n")
    assert said.out == "Set a new password for ada; all sessions have ended.\n"
    numbers.append(found(tmp_path, revision))
    assert run("user", "role", "ada", "admin").out == "ada is admin.\n"
    numbers.append(found(tmp_path, revision))
    assert run("user", "disable", "ada").out == "Disabled ada.\n"
    numbers.append(found(tmp_path, revision))
    assert numbers == [0, 1, 2, 3]
    assert found(tmp_path, lambda c: sessions.find(c, [digest("x")], NOW)) == {}


@pytest.mark.parametrize("command", ["disable", "enable", "token", "reset-password"])
def test_nobody_of_this_name_is_told_in_one_line(run: Run, command: str) -> None:
    run("user", "add", "robot", "--role", "bot")
    assert one_line(run("user", command, "nobody"), 1) == "There is nobody called 'nobody'."


def test_the_last_owner_stays(run: Run) -> None:
    run("user", "add", "olga", "--role", "owner", "--password-stdin", stdin="correct horse\n")
    assert "last owner" in one_line(run("user", "disable", "olga"), 1)
    assert "last owner" in one_line(run("user", "role", "olga", "member"), 1)


def test_a_mistyped_folder_is_said_and_not_made(run: Run, tmp_path: Path) -> None:
    said = one_line(run("user", "list", "--data", "dta"), 2)
    assert "There is no database at" in said
    assert "--data" in said
    assert not (tmp_path / "dta").exists()


def test_a_new_database_is_announced(run: Run, tmp_path: Path) -> None:
    said = run("user", "add", "robot", "--role", "bot")
    assert said.err == f"hubbub: making a new database at {tmp_path / 'data' / 'hubbub.db'}\n"


def test_the_database_may_come_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_DATA", str(tmp_path / "elsewhere"))
    assert run("user", "add", "robot", "--role", "bot").status == 0
    assert (tmp_path / "elsewhere" / "hubbub.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x", "oracle+x://y"])
def test_a_database_that_can_not_be_is_told_in_one_line(run: Run, url: str) -> None:
    assert one_line(run("user", "list", "--database", url), 2)


def test_a_file_that_is_no_database_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hubbub.db").write_text(
        "not a database, and long enough to be looked at as one" * 100
    )
    assert "hubbub restore" in one_line(run("user", "list"), 2)


# --- import


def test_many_are_imported_with_a_token_each_in_a_file_of_their_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,display name,role\nada,Ada L.,admin\nbob,,\n")
    said = run("user", "import", "people.csv", "--tokens-out", "tokens.csv")
    assert (said.status, said.out) == (0, "Added 2 people; their tokens are in tokens.csv.\n")
    lines = [line.split(",") for line in (tmp_path / "tokens.csv").read_text().splitlines()]
    assert [name for name, _ in lines] == ["ada", "bob"]
    assert stat.S_IMODE((tmp_path / "tokens.csv").stat().st_mode) == 0o600
    keys = [digest(token) for _, token in lines]
    who = found(tmp_path, lambda c: bearer.find(c, keys))
    assert [(who[key].identity.name, who[key].identity.role) for key in keys] == [
        ("ada", "admin"),
        ("bob", "member"),
    ]


def test_one_bad_line_imports_nobody_and_leaves_no_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("ada\na b\nbob,,king\n")
    said = run("user", "import", "people.csv", "--tokens-out", "tokens.csv")
    assert said.status == 1
    assert [line[:16] for line in said.err.splitlines()] == ["hubbub: line 2: ", "hubbub: line 3: "]
    assert not (tmp_path / "tokens.csv").exists()
    assert not (tmp_path / "data").exists()


def test_those_there_already_are_refused_or_skipped_with_a_word(run: Run, tmp_path: Path) -> None:
    run("user", "add", "Ada", "--role", "bot")
    (tmp_path / "people.csv").write_text("ada\nbob\n")
    arguments = ("user", "import", "people.csv", "--tokens-out", "tokens.csv")
    assert one_line(run(*arguments), 1) == "line 1: the name ada is taken."
    assert not (tmp_path / "tokens.csv").exists()
    said = run(*arguments, "--skip-existing")
    assert (said.status, said.err) == (0, "Skipped ada: there already.\n")
    assert said.out.startswith("Added 1 people")


def test_a_file_of_tokens_is_not_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("ada\n")
    (tmp_path / "tokens.csv").write_text("precious")
    said = run("user", "import", "people.csv", "--tokens-out", "tokens.csv")
    assert said.status == 1
    assert "tokens.csv: File exists" in said.err
    assert found(tmp_path, people.listed) == []


def test_a_file_that_is_not_there_is_told_in_one_line(run: Run) -> None:
    said = one_line(run("user", "import", "nothing.csv", "--tokens-out", "tokens.csv"), 1)
    assert said == "nothing.csv: No such file or directory"


# --- rooms


def test_rooms_are_made_and_listed(run: Run) -> None:
    assert (
        run("room", "add", "Plans", "--kind", "private", "--topic", "What next").out
        == "Made the room Plans.\n"
    )
    assert "Plans  private  open      What next" in run("room", "list").out
    assert one_line(run("room", "add", "plans"), 1)
    assert one_line(run("room", "add", "a/b"), 1)
    assert one_line(run("room", "add", "x", "--kind", "odd"), 1)


# --- pipes


def test_a_reader_that_goes_early_is_no_error(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'hubbub.db'}")
    store.write_now(
        lambda c: [people.add(c, f"user{number}", display_name="x" * 60, now=NOW) for number in range(2_000)]
    )
    store.close()
    listing = subprocess.Popen(
        [sys.executable, "-m", "hubbub", "user", "list", "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith("HUBBUB_")},
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.readline()
    listing.stdout.close()
    assert listing.stderr.read() == b""
    assert listing.wait() == 1
    listing.stderr.close()
