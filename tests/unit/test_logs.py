"""What is logged, and what is not."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from hubbub import logs
from hubbub.connection import Client
from hubbub.events import Payload
from hubbub.hub import Hub
from hubbub.settings import Settings
from tests.chat_world import a_chat


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Full(io.StringIO):
    """A stream on a disk that is full."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """What a test sets up ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    noisy = {
        name: logging.getLogger(name).level
        for name in ("uvicorn", "uvicorn.error", "alembic", "websockets", "asyncio")
    }
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in noisy.items():
        logging.getLogger(name).setLevel(was)


def logged(stream: io.StringIO, log: Callable[[Any], object], **changes: Any) -> list[str]:
    """The lines that `log`, given a logger, leaves on the stream."""
    logs.set_up(msgspec.structs.replace(Settings(), **changes), stream)
    log(structlog.get_logger("test"))
    return stream.getvalue().splitlines()


def test_on_a_terminal_a_line_reads_well_and_elsewhere_it_is_json() -> None:
    def log(logger: Any) -> None:
        logger.info("serving", port=8082)

    (line,) = logged(Terminal(), log)
    assert "serving" in line
    assert "\x1b[" in line
    (line,) = logged(io.StringIO(), log)
    found = json.loads(line)
    assert (found.pop("timestamp")[-1], found) == ("Z", {"event": "serving", "level": "info", "port": 8082})


@pytest.mark.parametrize(("log_format", "stream"), [("json", Terminal()), ("text", io.StringIO())])
def test_a_format_that_is_asked_for_is_used_wherever_it_goes(log_format: str, stream: io.StringIO) -> None:
    (line,) = logged(stream, lambda logger: logger.info("serving"), log_format=log_format)
    assert line.startswith("{") is (log_format == "json")
    assert "\x1b[" not in line


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_below_the_level_is_left_out(level: str, shown: int) -> None:
    def log(logger: Any) -> None:
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)(name)
            logging.getLogger("another").log(getattr(logging, name.upper()), name)

    assert len(logged(io.StringIO(), log, log_level=level)) == 2 * shown


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_what_libraries_log_comes_in_the_same_form_and_their_chatter_is_left_out(log_format: str) -> None:
    def log(_logger: Any) -> None:
        for name in ("uvicorn.error", "alembic.runtime.migration", "websockets.server", "asyncio"):
            logging.getLogger(name).info("chatter")
            logging.getLogger(name).warning("trouble %d", 7)

    lines = logged(io.StringIO(), log, log_format=log_format)
    assert len(lines) == 4
    assert all("trouble 7" in line and line.startswith("{") is (log_format == "json") for line in lines)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_value_can_break_a_line_or_colour_it(log_format: str) -> None:
    evil = "x\n2026-01-01 [info] forged\r\x1b[31m"
    lines = logged(io.StringIO(), lambda logger: logger.warning("odd", value=evil), log_format=log_format)
    assert len(lines) == 1
    assert "\x1b" not in lines[0]


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("logger", ["ours", "theirs"])
def test_a_traceback_shows_where_and_not_with_what(log_format: str, logger: str) -> None:
    def log(ours: Any) -> None:
        try:
            _fail("hunter" + str(2))
        except ZeroDivisionError:
            if logger == "ours":
                ours.exception("failed")
            else:
                logging.getLogger("asyncio").exception("failed")

    text = "\n".join(logged(io.StringIO(), log, log_format=log_format))
    assert "_fail" in text
    assert "ZeroDivisionError" in text
    assert "hunter2" not in text


def _fail(password: str) -> float:
    secret = password * 2
    return len(secret) / 0


def test_a_disk_that_is_full_does_not_stop_whoever_logs() -> None:
    logged(Full(), lambda logger: logger.error("odd"))
    logs.set_up_own(Settings(), Full())
    structlog.get_logger("test").error("odd")


class Word(Payload, frozen=True):
    """A payload."""

    word: str


def test_what_people_say_is_in_no_line_whatever_goes_wrong(tmp_path: Path) -> None:
    hub = Hub()

    @hub.on("crash")
    def crash(client: Client, payload: Word) -> None:
        raise RuntimeError("a fault")

    stream = io.StringIO()
    logs.set_up(msgspec.structs.replace(Settings(), log_level="debug"), stream)

    async def body() -> None:
        async with a_chat(tmp_path, hub) as world:
            ada = await world.come("ada", "general")
            seq = (await ada.sends("general", "hunter2 one"))["seq"]
            await ada.asks("edit_message", room="general", seq=seq, message="hunter2 two")
            await ada.is_refused("crash", word="hunter2")
            await ada.is_refused("hunter2")
            ada.client.receive("hunter2")
            with world.store.transaction() as connection:
                connection.exec_driver_sql("DROP INDEX uq_entries_client_id_user_id_room_id")
                connection.exec_driver_sql("ALTER TABLE entries RENAME COLUMN body TO gone")
            await ada.is_refused("send_message", room="general", message="hunter2 three", id="3")

    asyncio.run(body())
    text = stream.getvalue()
    assert "handler failed" in text
    assert "not written" in text or "breaks a rule" in text
    assert "hunter2" not in text
