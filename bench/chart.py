"""Bars in an SVG file, without anything to draw with: one panel a figure, one bar a server."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 880
_MARGIN: Final = 24
_GAP: Final = 40
_COLUMNS: Final = 2
_PANEL: Final = (WIDTH - 2 * _MARGIN - _GAP * (_COLUMNS - 1)) / _COLUMNS
_NAMES: Final = 138
_VALUES: Final = 78
_BARS: Final = _PANEL - _NAMES - _VALUES
_ROW: Final = 21
_BAR: Final = 13
_TITLE: Final = 84
_PANEL_HEAD: Final = 46
_PANEL_FOOT: Final = 22
_LINE: Final = 17
_SHORTEST: Final = 1.5
_CUT_AT: Final = 4.0  # times the median


@dataclass(frozen=True)
class Bar:
    """A server's figure, as long as `value` and labelled `label`; `kind` is floor, hubbub or peer. None: it has none here."""

    name: str
    value: float | None
    label: str
    kind: str


@dataclass(frozen=True)
class Panel:
    """Bars to one scale from nought. `note` says what is measured, in which unit, and whether less or more of it is better.

    Where less is better, a bar that is many times as long as most is `cut`, with a gap to show it, or nobody could compare the others.
    """

    title: str
    note: str
    bars: Sequence[Bar]
    cut: bool = False

    @property
    def most(self) -> float:
        """The value that the longest bar stands for."""
        values = [bar.value for bar in self.bars if bar.value is not None]
        longest = max(values, default=0.0) or 1.0
        return min(longest, _CUT_AT * statistics.median(values)) if self.cut and values else longest

    @property
    def has_cut(self) -> bool:
        """Whether there is a bar that is cut."""
        return any(bar.value is not None and bar.value > self.most for bar in self.bars)


def svg(title: str, subtitle: str, panels: Sequence[Panel], foot: Sequence[str] = ()) -> str:
    """The chart. Its text is text, and it is read to whoever cannot see it; its colours follow the reader's scheme."""
    parts: list[str] = []
    top = float(_TITLE)
    for first in range(0, len(panels), _COLUMNS):
        row = panels[first : first + _COLUMNS]
        for place, panel in enumerate(row):
            parts += _panel(panel, _MARGIN + place * (_PANEL + _GAP), top)
        top += max(_height(panel) for panel in row)
    height = top + len(foot) * _LINE + (_LINE if foot else 0)
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" {size}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(_description(subtitle, panels))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height:g}" rx="8"/>',
        _text(_MARGIN, 36, title, "title"),
        _text(_MARGIN, 58, subtitle, "note"),
        *parts,
        *[_text(_MARGIN, top + 12 + place * _LINE, line, "note") for place, line in enumerate(foot)],
        "</svg>\n",
    ])  # fmt: skip


def _height(panel: Panel) -> float:
    return _PANEL_HEAD + _ROW * len(panel.bars) + _PANEL_FOOT


def _panel(panel: Panel, left: float, top: float) -> list[str]:
    most = panel.most
    lines = [_text(left, top + 14, panel.title, "head"), _text(left, top + 31, panel.note, "note")]
    axis = left + _NAMES
    bottom = top + _PANEL_HEAD + _ROW * len(panel.bars) - (_ROW - _BAR) / 2
    for place, bar in enumerate(panel.bars):
        y = top + _PANEL_HEAD + place * _ROW
        middle = y + _BAR - 2.5
        lines.append(_text(axis - 8, middle, bar.name, f"name {bar.kind}", anchor="end"))
        if bar.value is None:
            lines.append(_text(axis + 8, middle, bar.label, "none"))
            continue
        length = min(_BARS, max(_SHORTEST, bar.value / most * _BARS))
        lines.append(
            f'<rect class="{bar.kind}" x="{axis:g}" y="{y:g}" width="{length:.1f}" height="{_BAR}" rx="2"/>'
        )
        if bar.value > most:
            lines.append(f'<path class="gap" d="M{axis + _BARS - 18:g} {y + _BAR + 2:g}l5 {-_BAR - 4}"/>')
        lines.append(_text(axis + length + 6, middle, bar.label, f"value {bar.kind}"))
    lines.append(f'<path class="axis" d="M{axis:g} {top + _PANEL_HEAD - 5:g}V{bottom:g}"/>')
    return lines


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchored}>{escape(text)}</text>'


def _description(subtitle: str, panels: Sequence[Panel]) -> str:
    said = [
        f"{panel.title} ({panel.note}): {', '.join(f'{bar.name} {bar.label}' for bar in panel.bars)}."
        for panel in panels
    ]
    return " ".join([f"{subtitle}.", *said])


# Each text against the page, and each bar too, has a contrast of 4.5 and of 3 at least, in both schemes.
_STYLE: Final = """
svg{--page:#ffffff;--edge:#d0d7de;--ink:#1f2328;--soft:#59636e;--floor:#818b98;--peer:#5b8fc7;--hubbub:#bc4c00}
@media (prefers-color-scheme:dark){svg{--page:#0d1117;--edge:#3d444d;--ink:#f0f6fc;--soft:#9198a1;--floor:#7d8590;--peer:#4a7fb5;--hubbub:#f0883e}}
text{font:12px system-ui,-apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;fill:var(--ink)}
.title{font-size:18px;font-weight:600}.head{font-size:13.5px;font-weight:600}
.note,.none{fill:var(--soft)}.value{font-variant-numeric:tabular-nums}
text.hubbub{font-weight:700}text.floor{fill:var(--soft)}
.page{fill:var(--page);stroke:var(--edge)}.gap{stroke:var(--page);stroke-width:4}.axis{stroke:var(--edge);fill:none}
rect.floor{fill:var(--floor)}rect.peer{fill:var(--peer)}rect.hubbub{fill:var(--hubbub)}
"""
