"""Which peers take part: those that were asked for and are installed. Those that are not are named, each with its reason in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.peers.beside import Installed
from bench.peers.peer import PEERS, Peer
from bench.peers.place import NotInstalledError, Place

ALL: Final = "all"
NONE: Final = "none"


class UnknownPeerError(Exception):
    """A peer was asked for that is not known. The text names those that are."""


@dataclass(frozen=True)
class Choice:
    """The peers that take part, what is to be said of them, and who was left out, with the reason."""

    peers: list[Peer]
    installed: list[Installed]
    left_out: list[str]


def asked_for(said: str) -> list[Peer]:
    """The peers that ``--peers`` names. Raises `UnknownPeerError`."""
    if said == NONE:
        return []
    wanted = {peer.key for peer in PEERS} if said == ALL else set(filter(None, said.split(",")))
    unknown = wanted - {peer.key for peer in PEERS}
    if unknown or not wanted:
        known = ", ".join(peer.key for peer in PEERS)
        raise UnknownPeerError(f"--peers {said}: give {ALL}, {NONE}, or of these, with commas: {known}")
    return [peer for peer in PEERS if peer.key in wanted]


def choose(said: str, say: Callable[[str], None], place: Place | None = None) -> Choice:
    """Install those that were asked for. `say` is told who is left out. Raises `UnknownPeerError`."""
    place = place or Place()
    choice = Choice([], [], [])
    failed: dict[Callable[[Place], None], str] = {}
    for peer in asked_for(said):
        try:
            if peer.install not in failed:
                peer.install(place)
        except (NotInstalledError, OSError) as error:
            failed[peer.install] = str(error)
        if peer.install in failed:  # what one of them lacks, all that come from there do
            choice.left_out.append(f"{peer.name} is left out: {failed[peer.install]}")
            say(choice.left_out[-1])
            continue
        choice.peers.append(peer)
        choice.installed.append(Installed(peer.key, peer.name, peer.version(place), peer.how))
    return choice
