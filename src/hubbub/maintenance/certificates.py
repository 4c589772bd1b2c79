"""How long a certificate is good for: read from its DER form, as far as that needs (RFC 5280, section 4.1)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


class CertificateError(ValueError):
    """It is no certificate."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when, in seconds since 1970."""

    begins: float
    ends: float


def validities(pem: bytes) -> list[Validity]:
    """The validity of each certificate in a PEM file, the server's own first. Raises `CertificateError`."""
    try:
        return [_validity(b64decode(block)) for block in _BLOCK.findall(pem)]
    except (IndexError, ValueError, binascii.Error):
        raise CertificateError("it is no certificate") from None


def _validity(der: bytes) -> Validity:
    certificate = _inside(der, *_elements(der, 0, len(der))[0])
    signed = _inside(der, *certificate[0])
    # The version stands first, except in certificates of version 1; then serial number, algorithm, issuer.
    place = 4 if signed[0][0] == _VERSION else 3
    begins, ends = _inside(der, *signed[place])
    return Validity(_time(der, *begins), _time(der, *ends))


def _inside(der: bytes, _tag: int, start: int, end: int) -> list[tuple[int, int, int]]:
    return _elements(der, start, end)


def _elements(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Tag, start and end of what stands between `start` and `end`, one after another."""
    found = []
    while start < end:
        tag, length, start = der[start], der[start + 1], start + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(der[start : start + size]), start + size
        if start + length > end:
            raise ValueError
        found.append((tag, start, start + length))
        start += length
    return found


def _time(der: bytes, tag: int, start: int, end: int) -> float:
    text = der[start:end].decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
