"""Live rooms for Python: a chat server with one command, rooms of your own with one import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubbub.application import Application, run
    from hubbub.connection import Client
    from hubbub.errors import Refusal, Refused
    from hubbub.events import Payload
    from hubbub.hub import Hub
    from hubbub.settings import SettingError, Settings

__version__ = "0.1.0"

__all__ = ["Application", "Client", "Hub", "Payload", "Refusal", "Refused", "SettingError", "Settings", "run"]

_HOMES = {
    "Application": "hubbub.application",
    "Client": "hubbub.connection",
    "Hub": "hubbub.hub",
    "Payload": "hubbub.events",
    "Refusal": "hubbub.errors",
    "Refused": "hubbub.errors",
    "SettingError": "hubbub.settings",
    "Settings": "hubbub.settings",
    "run": "hubbub.application",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used: `hubbub --help` needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hubbub' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
