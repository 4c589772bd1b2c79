"""What `make bench` runs; see main.py. The project's folder goes on the path so that helpers are found by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.main import main

if __name__ == "__main__":
    raise SystemExit(main())
