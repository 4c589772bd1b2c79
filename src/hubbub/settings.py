"""Every setting: its name, unit, default, and where it comes from.

A setting is given on the command line, else as ``HUBBUB_<NAME>`` in the environment, else it has the default
here. An unknown name is refused, with the nearest known one. A limit of 0 is no limit.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

ENVIRONMENT_PREFIX: Final = "HUBBUB_"
_NOT_SETTINGS: Final = frozenset({"HUBBUB_BROWSER", "HUBBUB_BENCH"})  # of the tests and the benchmark

_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._~\-]+)(:[0-9]{1,5})?", re.IGNORECASE)

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0)]


class SettingError(Exception):
    """A setting is unknown or has a value that can't be used; the text says which and what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one server is told. Immutable; make another with `msgspec.structs.replace`."""

    # Where it listens and what it keeps.
    host: str = "127.0.0.1"
    port: Port = 8082
    data: Path = Path("data")
    database: str = ""  # an SQLAlchemy URL; empty: SQLite at <data>/hubbub.db
    bus: str = ""  # empty: this process alone
    static: Path | None = None  # a folder served at / in place of the built-in page
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allow_origin: tuple[str, ...] = ()  # origins besides the server's own, e.g. https://chat.example.org
    trust_proxy: tuple[str, ...] = ()  # addresses whose X-Forwarded-For and X-Forwarded-Proto are believed

    # WebSocket.
    ping_seconds: Annotated[float, Meta(ge=0.05)] = 9.0
    pong_seconds: Annotated[float, Meta(ge=0.05)] = 10.0
    read_limit_bytes: Annotated[int, Meta(ge=128)] = 64 * 1024  # of one frame and of one message
    write_buffer_bytes: Annotated[int, Meta(ge=1024)] = 1024 * 1024  # past it a reader is behind
    slow_reader_seconds: Seconds = 60.0  # a reader behind for so long is closed with 4509
    handshake_seconds: Seconds = 10.0  # for a request to arrive whole
    ticket_seconds: Seconds = 5.0
    compression: bool = True  # agree to permessage-deflate (RFC 7692) with clients that offer it
    io_uring: bool = True  # send to a whole room in one system call, where Linux allows it

    # Chat.
    rooms_per_connection: Positive = 200
    message_characters: Positive = 10_000
    typing_seconds: Seconds = 5.0
    presence_grace_seconds: Seconds = 5.0  # back within it, and nobody saw you leave
    presence_interval_seconds: Seconds = 0.5  # at most one presence frame a room in it
    room_head_interval_seconds: Seconds = 1.0
    make_rooms: Literal["members", "admins"] = "members"  # who may
    restart_spread_seconds: Seconds = 10.0  # clients come back spread over it after a restart
    shutdown_seconds: Seconds = 8.0

    # Accounts.
    session_days: Positive = 30
    password_characters: Positive = 8  # at least
    body_limit_bytes: Positive = 64 * 1024  # of an HTTP request

    # Limits; 0 turns one off.
    limit_messages: Seconds = 20.0  # a user, a second
    limit_messages_burst: Positive = 60  # a user, at once
    limit_connections: Count = 50  # open at once, a user
    limit_address: Count = 2000  # open at once, an address
    limit_enters: Seconds = 100.0  # a user, a second (ten times as many at once)
    limit_rooms: Count = 60  # made, a user and hour
    limit_logins: Count = 10  # failed, an account and minute; three times as many an address
    limit_tickets: Seconds = 10.0  # a session, a second (ten times as many at once)
    limit_searches: Seconds = 5.0  # a user, a second (four times as many at once)

    # Saying what happens.
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the log: `database`, or SQLite in the data folder."""
        return self.database or f"sqlite:///{self.data.resolve() / 'hubbub.db'}"

    @property
    def tls(self) -> bool:
        """Whether this server itself speaks TLS."""
        return self.tls_cert is not None


_FIELDS: Final = tuple(Settings.__struct_fields__)
_LISTS: Final = frozenset({"allow_origin", "trust_proxy"})


def load(environment: Mapping[str, str], given: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `given` (the command line; None means not given) over `environment` over the defaults.

    Raises `SettingError` with one line for a person.
    """
    values: dict[str, Any] = dict(_from_environment(environment))
    values.update((name, value) for name, value in (given or {}).items() if value is not None and value != ())
    for name in values:
        if name not in _FIELDS:
            raise SettingError(f"There is no setting {name}.{_nearest(name)}")
    settings = _converted(values)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingError("TLS needs both a certificate and a key: give --tls-cert and --tls-key.")
    for origin in settings.allow_origin:
        if not _ORIGIN.fullmatch(origin):
            raise SettingError(
                f"allow_origin {origin!r} is no origin: write it like https://chat.example.org, with no path."
            )
    return settings


def _from_environment(environment: Mapping[str, str]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _NOT_SETTINGS:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name not in _FIELDS:
            raise SettingError(
                f"There is no setting {variable} in the environment.{_nearest(name, ENVIRONMENT_PREFIX)}"
            )
        found[name] = [part.strip() for part in text.split(",") if part.strip()] if name in _LISTS else text
    return found


def _converted(values: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        text = str(error)
        name = text.rpartition("$.")[2].rstrip("`").split("[")[0] if "$." in text else "?"
        reason = text.split(" - at ", maxsplit=1)[0]
        raise SettingError(
            f"The setting {name} can't be {values.get(name)!r}: {reason[0].lower()}{reason[1:]}."
        ) from None


def _path(type_: type[Any], value: Any) -> Path:
    if type_ is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError(type_)


def _nearest(name: str, prefix: str = "") -> str:
    near = difflib.get_close_matches(name.lower(), _FIELDS, n=1, cutoff=0.5)
    shown = prefix + (near[0].upper() if prefix else near[0]) if near else ""
    return f" Did you mean {shown}?" if near else " `hubbub serve --help` lists them all."
