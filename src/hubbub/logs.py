"""What is logged: readable lines on a terminal, JSON otherwise. No password, ticket, token or message text is in it."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Final, TextIO, cast

import structlog
from structlog.typing import Processor

from hubbub.settings import Settings

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class _Unfailing:
    """A stream that loses what can't be written: whoever logs goes on, though the disk is full or the pipe broken."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Send what Hubbub and its libraries log to `stream` (standard error), as `settings` say."""
    stream = stream or sys.stderr
    shared, ending = set_up_own(settings, stream)
    level = _LEVELS[settings.log_level]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "uvicorn.error", "alembic", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def set_up_own(settings: Settings, stream: TextIO) -> tuple[list[Processor], list[Processor]]:
    """Send what Hubbub itself logs to `stream`, and leave other loggers alone. Returns the processors."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    level = _LEVELS[settings.log_level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Processor]
    if as_json:
        # JSON escapes what could break a line. Without local variables, which hold passwords and messages.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ending = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        ending = [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), sort_keys=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing(stream))),
    )
    return shared, ending
