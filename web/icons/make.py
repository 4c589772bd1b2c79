"""Draw the PNG icons in web/public from icon.svg, with Chromium. To be run after the mark was changed.

    HUBBUB_BROWSER=$(tools/browser.sh) .venv/bin/python web/icons/make.py

The maskable ones fill the whole square and hold the mark in its middle 80 %, as phones cut icons to shapes of their own.
"""

# ruff: noqa: INP001  (a script beside what it draws, no package)
from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import sync_playwright

PUBLIC = Path(__file__).parent.parent / "public"
SIZES = (192, 512)


def main() -> None:
    """Write icon-SIZE.png and icon-maskable-SIZE.png."""
    mark = (PUBLIC / "icon.svg").read_text()
    square = re.sub(r' rx="\d+"', "", mark)
    # A wider view makes the mark smaller; the ground reaches beyond it.
    masked = square.replace('viewBox="0 0 64 64"', 'viewBox="-8 -8 80 80"').replace(
        '<rect width="64" height="64"', '<rect x="-8" y="-8" width="80" height="80"'
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("HUBBUB_BROWSER", "chromium"), args=["--no-sandbox"]
        )
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            for name, drawing in (("icon", mark), ("icon-maskable", masked)):
                page.set_content(
                    f"<style>html,body{{margin:0;background:transparent}}svg{{display:block;width:{size}px}}</style>{drawing}"
                )
                page.screenshot(path=PUBLIC / f"{name}-{size}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
