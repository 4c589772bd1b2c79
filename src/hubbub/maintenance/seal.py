"""A checksum in a backup, so that a flipped bit is found even where SQLite sees nothing wrong, as in a message's text.

It stands in two numbers that a database's header leaves to applications: the application id says that there is one,
and the user version is the CRC-32 of the file with that number taken as 0 (https://www.sqlite.org/fileformat.html,
"The Database Header").
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO, Final

_VERSIONS: Final = slice(18, 20)  # both 1 for a plain file, 2 for one with a log: it is, or was, in use
_USER_VERSION: Final = slice(60, 64)
_APPLICATION_ID: Final = slice(68, 72)
_HEADER_BYTES: Final = 100
_SEALED: Final = b"HUBB"
_CHUNK_BYTES: Final = 1 << 20


def seal(path: Path) -> None:
    """Put the checksum into the finished copy `path`, which nobody has open."""
    with path.open("r+b") as file:
        header = bytearray(file.read(_HEADER_BYTES))
        header[_APPLICATION_ID] = _SEALED
        file.seek(0)
        file.write(header)
        header[_USER_VERSION] = _checksum(file)
        file.seek(0)
        file.write(header)


def is_broken(path: Path) -> bool:
    """Whether `path` has a checksum, and it is not that of the file. False for a database that has been in use."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        return (
            header[_APPLICATION_ID] == _SEALED
            and header[_VERSIONS] == b"\x01\x01"
            and header[_USER_VERSION] != _checksum(file)
        )


def _checksum(file: BinaryIO) -> bytes:
    file.seek(0)
    header = bytearray(file.read(_HEADER_BYTES))
    header[_USER_VERSION] = bytes(4)
    checksum = zlib.crc32(header)
    while chunk := file.read(_CHUNK_BYTES):
        checksum = zlib.crc32(chunk, checksum)
    return checksum.to_bytes(4)
