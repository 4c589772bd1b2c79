"""Where a request comes from: the client's address, the scheme it used, and whether its page may talk to us.

Plain functions of header values, used by HTTP and by the WebSocket handshake alike. `Values` gives all values of a
header by its lower-case name: Starlette's `Headers.getlist` and websockets' `Headers.get_all` both fit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from hubbub.settings import SettingError

Values = Callable[[str], Sequence[str]]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._~\-]+)(?::([0-9]{1,5}))?")
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~\-]+)(?::([0-9]{1,5}))?")


class Proxies:
    """The proxies whose ``X-Forwarded-…`` headers are believed: addresses or networks such as ``10.0.0.0/8``."""

    __slots__ = ("_networks",)

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Raises `SettingError` for what is neither an address nor a network."""
        self._networks: tuple[_Network, ...] = tuple(_network(text) for text in trusted)

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def client_address(values: Values, peer: str, proxies: Proxies) -> str:
    """The client's address: the peer's, or if that is a trusted proxy, the last untrusted in X-Forwarded-For.

    What stands before the last untrusted address is the client's own word, and not believed.
    """
    if peer not in proxies:
        return _plain(peer)
    address = peer
    for hop in reversed([part for value in values("x-forwarded-for") for part in value.split(",")]):
        parsed = _parsed(hop.strip())
        if parsed is None:
            break
        address = str(parsed)
        if address not in proxies:
            break
    return _plain(address)


def limit_key(address: str) -> str:
    """What a limit by address counts: an IPv4 address, or the /64 of an IPv6 one, which is what one customer has."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address


def own_scheme(values: Values, peer: str, proxies: Proxies, *, tls: bool) -> str:
    """``https`` if this server speaks TLS or a trusted proxy says that the client did, else ``http``."""
    if tls:
        return "https"
    if peer in proxies:
        said = [part.strip().lower() for value in values("x-forwarded-proto") for part in value.split(",")]
        if said and said[-1] in ("https", "wss"):
            return "https"
    return "http"


def own_origin(values: Values, scheme: str) -> str | None:
    """The server's own origin as the client sees it, e.g. ``https://chat.example.org``; None without a good Host."""
    hosts = values("host")
    found = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    return _joined(scheme, found[1], found[2]) if found else None


def origin_allowed(values: Values, scheme: str, allowed: Collection[str] = ()) -> bool:
    """Whether the page that a browser sends this request for may talk to us; True if no page is named.

    A page may if its origin is our own (the Host header's host and port; https alone where we know that we are
    reached by https) or one of `allowed`. Two Origin headers, ``null`` and what is no origin are refused.
    """
    origins = values("origin")
    if not origins:
        return all(value in ("same-origin", "none") for value in values("sec-fetch-site"))
    origin = normal_origin(origins[0])
    if origin is None or len(origins) > 1:
        return False
    if any(origin == normal_origin(other) for other in allowed):
        return True
    # A proxy that ends TLS and is not trusted leaves us with "http": then the page's own scheme has to do.
    page_scheme = origin.partition(":")[0]
    return page_scheme in (scheme, "https") and origin == own_origin(values, page_scheme)


def normal_origin(origin: str) -> str | None:
    """`origin` in lower case and without a default port, as browsers write it; None if it is none."""
    found = _ORIGIN.fullmatch(origin.lower())
    return _joined(found[1], found[2], found[3]) if found else None


def _joined(scheme: str, host: str, port: str | None) -> str:
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SettingError(
            f"trust_proxy {text!r} is no address: write it like 127.0.0.1, or a network like 10.0.0.0/8."
        ) from None


def _parsed(text: str) -> _Address | None:
    """An address, also with a port (``192.0.2.1:99``, ``[2001:db8::1]:99``) as some proxies write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _plain(address: str) -> str:
    return address.removeprefix("::ffff:") if "." in address else address
