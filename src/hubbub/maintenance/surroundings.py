"""What `hubbub doctor` looks at of a server's surroundings: settings, port, TLS files, pages."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import ssl
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hubbub.maintenance.certificates import CertificateError, validities
from hubbub.maintenance.database import when
from hubbub.maintenance.errors import reason
from hubbub.maintenance.findings import Finding, fine, problem, warning
from hubbub.settings import ENVIRONMENT_PREFIX, SettingError, Settings, load

_ANSWER_SECONDS: Final = 2.0
# create_server passes what a name's look-up comes to on as a plain OSError.
_NO_ADDRESS: Final = (errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL)
_SOON_SECONDS: Final = 14 * 86_400
_PAIR: Final[tuple[str, ...]] = ("HUBBUB_TLS_CERT", "HUBBUB_TLS_KEY")  # each is refused without the other


def check_settings(
    environment: Mapping[str, str], given: Mapping[str, Any]
) -> tuple[Settings, list[Finding]]:
    """The settings as far as they can be used, and what can't. Raises `SettingError` for what was `given`."""
    ours = {name: text for name, text in environment.items() if name.startswith(ENVIRONMENT_PREFIX)}
    usable: dict[str, str] = {}
    findings = []
    pair = {name: ours.pop(name) for name in _PAIR if name in ours}
    for part in ([pair] if pair else []) + [{name: text} for name, text in sorted(ours.items())]:
        try:
            load(part)
        except SettingError as error:
            findings.append(
                problem(
                    "settings",
                    str(error).rstrip("."),
                    "The server does not start with it: mend it, or take it out of the environment.",
                )
            )
        else:
            usable.update(part)
    settings = load(usable, given)
    if settings.bus:
        findings.append(problem("settings", "there is no bus between nodes yet", "Unset HUBBUB_BUS."))
    count = f"{len(usable)} in the environment" if usable else "none in the environment, all as they come"
    return settings, findings or [fine("settings", count)]


def check_port(settings: Settings, *, serving: bool) -> Finding:
    """Whether the port is free, or a Hubbub is there. `serving`: a server works on the database."""
    if settings.port == 0:
        return fine("port", "any that is free")
    where = f"{settings.host}:{settings.port}"
    answer = _answer(settings)
    if answer == "ok":
        return _ours(where, serving=serving)
    if answer == "not ready":
        return problem(
            "port",
            f"a Hubbub answers at {where}, but its database does not",
            "Look at its log, and at the lines on the database above.",
        )
    taken = _binding(settings)
    if taken is not None:
        return _taken(settings, where, taken)
    if serving:
        return warning(
            "port",
            f"{where} is free, and yet a server works on the database: it listens elsewhere",
            "Check --host and --port, or HUBBUB_HOST and HUBBUB_PORT.",
        )
    return fine("port", f"{where} is free")


def _ours(where: str, *, serving: bool) -> Finding:
    if serving:
        return fine("port", f"a Hubbub answers at {where}")
    return problem(
        "port",
        f"a Hubbub answers at {where}, but none works on this database",
        "If it is another one, choose another port with --port; if not, give its folder with --data.",
    )


def _taken(settings: Settings, where: str, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return problem(
            "port",
            f"another program is at {where}",
            "End that one, or choose another port with --port or HUBBUB_PORT.",
        )
    if error.errno == errno.EACCES:
        return problem(
            "port",
            f"this user may not listen at {where}",
            "Choose a port above 1023 and put a proxy before it; under systemd,"
            " AmbientCapabilities=CAP_NET_BIND_SERVICE.",
        )
    if error.errno in _NO_ADDRESS:
        return problem(
            "port", f"{settings.host!r} is no address of this machine", "Choose another with --host."
        )
    return problem(
        "port", f"can't listen at {where}: {reason(error)}", "Choose another with --host and --port."
    )


def _binding(settings: Settings) -> OSError | None:
    """What listening at the port comes to."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        return error
    return None


def _answer(settings: Settings) -> str:
    """How what is at the port answers like a Hubbub: ok, not ready, or nothing of the kind (empty)."""
    for tls in (settings.tls, not settings.tls):
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _get(settings, "/healthz", tls=tls) == (200, b"ok\n"):
                return "ok" if _get(settings, "/readyz", tls=tls) == (200, b"ok\n") else "not ready"
    return ""


def _get(settings: Settings, path: str, *, tls: bool) -> tuple[int, bytes]:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not a binding
    if tls:
        context = ssl.create_default_context()
        # The certificate is looked at by itself; here only who answers matters, and nothing is told to it.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, settings.port, timeout=_ANSWER_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, settings.port, timeout=_ANSWER_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(64)


def check_tls(settings: Settings, now: float) -> Iterator[Finding]:
    """The certificate and its key, if the server itself speaks TLS."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None or key is None:
        return
    try:
        pem = cert.read_bytes()
        key.read_bytes()
    except OSError as error:
        yield problem(
            "TLS",
            f"{error.filename} can't be read: {reason(error)}",
            "Give files that are there and that the server's user may read, with --tls-cert and --tls-key.",
        )
        return
    refused = _refused(cert, key)
    if refused:
        yield problem("TLS", refused, "Give a certificate in PEM and the key that it was made with.")
        return
    yield _validity(cert, pem, now)
    if key.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield problem("TLS", f"{key} is open to everyone on this machine", f"chmod 600 {key}")


def _refused(cert: Path, key: Path) -> str:
    """Why the two can't be used together; empty if they can."""
    try:
        # A key behind a passphrase would be asked for at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "-")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{key} is not the key of {cert}"
        if "ENCRYPTED" in key.read_text(errors="replace").upper():
            return f"{key} is locked with a passphrase, which a server can't type"
        return f"{cert} and {key} can't be used: {error.reason or 'no certificate and key in PEM'}"
    return ""


def _validity(cert: Path, pem: bytes, now: float) -> Finding:
    try:
        found = validities(pem)
    except CertificateError as error:
        return problem("TLS", f"{cert}: {error}", "Give a certificate in PEM.")
    ends = min(validity.ends for validity in found)
    begins = max(validity.begins for validity in found)
    if now >= ends:
        return problem("TLS", f"{cert} ended on {when(int(ends * 1000))}", "Renew it.")
    if now < begins:
        return problem(
            "TLS", f"{cert} begins only on {when(int(begins * 1000))}", "Check the clock, or renew it."
        )
    if now > ends - _SOON_SECONDS:
        return warning(
            "TLS", f"{cert} ends on {when(int(ends * 1000))}", "Renew it, and start the server again."
        )
    return fine("TLS", f"{cert} is good until {when(int(ends * 1000))}")


def check_static(settings: Settings) -> Iterator[Finding]:
    """The folder of pages, if one is given."""
    folder = settings.static
    if folder is None:
        return
    page = folder / "index.html"
    try:
        if not folder.is_dir():
            yield problem("pages", f"the folder {folder} is not there", "Give one that is with --static.")
            return
        page.read_bytes()
    except OSError as error:
        yield warning(
            "pages",
            f"{page} can't be read: {reason(error)}",
            "Put a page there for those who open the address in a browser.",
        )
    else:
        yield fine("pages", str(folder))
