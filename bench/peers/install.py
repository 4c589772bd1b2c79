"""`make bench-peers`: install all peers in build/peers. One that cannot be installed is named, and is no failure."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.peers.choice import ALL, choose

if __name__ == "__main__":
    for peer in choose(ALL, print).installed:
        print(f"{peer.name} {peer.version}")
