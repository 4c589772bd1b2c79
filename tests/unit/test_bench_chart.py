"""The chart of the benchmark: bars to one scale, text as text, readable in both schemes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from bench.chart import WIDTH, Bar, Panel, svg
from bench.page import Measured
from bench.peers import beside
from bench.peers.peer import PEERS
from bench.workloads import WORKLOADS
from tests.unit.test_bench_page import MACHINE, a_result

SVG = "{http://www.w3.org/2000/svg}"
BARS = [
    Bar("Floor", 2.0, "2.00", "floor"),
    Bar("Hubbub", 4.0, "4.00", "hubbub"),
    Bar("Ñandú & <sons>", 3.0, "3.00", "peer"),
    Bar("Slow", 100.0, "100", "peer"),
    Bar("Gone", None, "not measured", "peer"),
]


def drawn(*panels: Panel) -> ET.Element:
    """The chart, as the browser reads it."""
    return ET.fromstring(svg("Title", "What it is", panels, ["Foot"]))


def lengths(chart: ET.Element) -> list[float]:
    """Those of the bars, from top to bottom."""
    return [float(bar.attrib["width"]) for bar in chart.findall(f"{SVG}rect")[1:]]


def test_bars_are_as_long_as_their_values() -> None:
    floor, hubbub, third, slow = lengths(drawn(Panel("A", "note", BARS)))
    assert (hubbub / floor, third / floor, slow / floor) == pytest.approx((2, 1.5, 50), rel=0.05)


def test_a_bar_that_would_hide_the_others_is_cut_with_a_gap_to_show_it() -> None:
    chart = drawn(Panel("A", "note", BARS, cut=True))
    floor, hubbub, _, slow = lengths(chart)
    assert hubbub / floor == pytest.approx(2, rel=0.01)
    assert slow / floor == pytest.approx(7, rel=0.01)
    assert [path.attrib["class"] for path in chart.findall(f"{SVG}path")] == ["gap", "axis"]
    assert [Panel("", "", bars, cut=True).has_cut for bars in (BARS, BARS[:3])] == [True, False]
    near = drawn(Panel("A", "note", BARS[:3], cut=True))
    assert [path.attrib["class"] for path in near.findall(f"{SVG}path")] == ["axis"]


def test_all_that_is_drawn_is_also_said() -> None:
    chart = drawn(Panel("A: rooms", "CPU", BARS))
    assert chart.attrib["role"] == "img"
    assert chart.attrib["aria-labelledby"] == "title desc"
    title, description = chart.find(f"{SVG}title"), chart.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert (title.text, title.attrib["id"], description.attrib["id"]) == ("Title", "title", "desc")
    said = "Floor 2.00, Hubbub 4.00, Ñandú & <sons> 3.00, Slow 100, Gone not measured."
    assert description.text == f"What it is. A: rooms (CPU): {said}"
    texts = [text.text for text in chart.findall(f"{SVG}text")]
    assert texts[:2] == ["Title", "What it is"]
    assert {"A: rooms", "CPU", "Ñandú & <sons>", "not measured", "Foot"} <= set(texts)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_from_the_page_in_both_schemes(scheme: int) -> None:
    style = drawn(Panel("A", "note", BARS)).findtext(f"{SVG}style") or ""
    assert "prefers-color-scheme:dark" in style
    colours = dict(re.findall(r"--(\w+):(#\w{6})", re.findall(r"svg\{(.*?)\}", style)[scheme]))
    page = luminance(colours["page"])
    for name, least in {"ink": 4.5, "soft": 4.5, "floor": 3, "peer": 3, "hubbub": 3}.items():
        lighter, darker = sorted((page, luminance(colours[name])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= least, name


def whole() -> list[Measured]:
    """All workloads with all peers, but for one that was too slow for one, and one with a fault."""
    measured = []
    for workload in WORKLOADS:
        each = Measured(workload, [a_result(workload, 2.0)], [a_result(workload, 3.0)])
        each.in_memory = each.hubbub if workload.in_memory else []
        if workload.peers:
            each.peers = {peer.key: [a_result(workload, 4.0)] for peer in PEERS}
        if workload.letter == "L":
            del each.peers["channels"]
        if workload.letter == "D":
            each.peer_faults = {"starlette": ["3 out of order"]}
        measured.append(each)
    return measured


def test_the_chart_has_each_server_in_each_panel_and_nothing_runs_out_of_it() -> None:
    chart = ET.fromstring(beside.chart(whole(), MACHINE))
    texts = chart.findall(f"{SVG}text")
    for name in ("Floor", "Hubbub", *(peer.name for peer in PEERS)):
        assert len([text for text in texts if text.text == name]) == 6
    assert [text.text for text in texts if "not measured" in (text.text or "")] == ["not measured"]
    assert len([text for text in texts if (text.text or "").endswith("†")]) == 1
    heads = [text for text in texts if text.attrib["class"] == "head"]
    assert [(text.text or "")[:2] for text in heads] == ["A:", "B:", "C:", "D:", "L:", "C:"]
    bottom = float(chart.attrib["height"])
    # So wide letters are on the average, in the widest of the fonts that a system may have.
    for text in texts:
        size = {"title": 18 * 0.62, "head": 13.5 * 0.68}.get(text.attrib["class"], 12 * 0.58)
        width = len(text.text or "") * size
        left = float(text.attrib["x"]) - (width if text.attrib.get("text-anchor") == "end" else 0)
        assert left >= 0, text.text
        limit = WIDTH / 2 if left < WIDTH / 2 and text.attrib["class"] == "head" else WIDTH
        assert left + width <= limit, text.text
        assert float(text.attrib["y"]) < bottom
