"""The figures in the two READMEs: the goals and what was reached, the same numbers in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.page import Measured, markdown, verdict, written
from bench.peers import beside
from bench.workloads import Against

START: Final = "<!-- bench -->\n"
END: Final = "<!-- /bench -->"


@dataclass(frozen=True)
class Language:
    """The words of one README. `titles` and `figures` are by a workload's letter and a figure's name; none: as they are."""

    file: str
    head: tuple[str, ...]
    verdicts: Mapping[bool | None, str]
    words: str
    titles: Mapping[str, str]
    figures: Mapping[str, str]
    chart: str
    beside: str
    server: str
    names: Mapping[str, str]


ENGLISH: Final = Language(
    "README.md",
    ("", "workload", "figure", "floor", "Hubbub", "ratio", "goal", ""),
    {True: "met", False: "**missed**", None: "not measured"},
    "Measured by `make bench`, everything on one machine ({processor}), with accounts, checks and a log that is on disk before "
    "anyone sees a message. The *floor* is a C program that does the least that a server can: one `send()` for each "
    "member, no accounts, no log. Every delivery was checked for loss, repeat and order. "
    "All figures, and what they mean: [docs/benchmark.md](docs/benchmark.md).",
    {},
    {},
    "Bars: Hubbub beside other servers; the table below has the same figures",
    "Beside servers that people write chats with, in the same run, each written as its own documentation recommends for a room "
    "([bench/peers](bench/peers)). Only Hubbub has accounts and keeps messages; in brackets the ratio to the floor.",
    "server",
    beside.NAMES,
)

CHINESE: Final = Language(
    "README.zh-TW.md",
    ("", "情境", "數字", "底線", "Hubbub", "比值", "目標", ""),
    {True: "達成", False: "**未達成**", None: "未測"},
    "由 `make bench` 測得，全部在同一台機器上（{processor}），帳號、檢查都開著，訊息先寫進磁碟上的日誌，才有人看得到。"
    "*底線*是一支只做最少工作的 C 程式：對每個成員各呼叫一次 `send()`，沒有帳號，也沒有日誌。"
    "每一次送達都檢查過，沒有遺失、重複或亂序。"
    "所有數字與它們的意思：[docs/benchmark.md](docs/benchmark.md)。",
    {
        "A": "一個房間裡 100 條連線，同時一則訊息在途",
        "B": "一個房間裡 1,000 條連線，同時一則訊息在途",
        "C": "1,000 條連線分在 100 個房間，每個房間同時一則訊息在途",
        "D": "一個房間裡 1,000 條連線，20 位發言者各有 5 則訊息在途",
        "E": "10,000 條連線分在 1,000 個房間，合計每秒 2,000 則訊息",
        "F": "200 條連線分在 100 個兩人房間，兩人都發言，合計每秒 10,500 則訊息",
        "G": "200 條連線分在 100 個兩人房間，兩人都發言，各有兩則訊息在途",
        "H": "一個房間裡 10 條連線，全都發言，各有一則訊息在途",
        "I": "10,000 條連線分在 1,000 個房間，除了心跳與合計每秒一則訊息之外閒置",
        "L": "1,000 條連線分在 100 個房間，速率是 Hubbub 在 C 的最高速率的一半",
    },
    {
        "CPU a delivery": "每次送達的 CPU",
        "CPU a delivery, log in memory": "每次送達的 CPU，日誌在記憶體",
        "deliveries": "送達",
        "memory a connection": "每條連線的記憶體",
        "latency p50": "延遲 p50",
        "latency p99": "延遲 p99",
        "share of a core": "占一個核心",
        "acknowledged messages": "已確認的訊息",
    },
    "長條圖：Hubbub 與其他伺服器；數字與下表相同",
    "與常用來寫聊天室的伺服器在同一次執行裡比較，每一個都照它自己的文件建議的聊天室寫法（[bench/peers](bench/peers)）。"
    "其中只有 Hubbub 有帳號、會保存訊息；括號裡是與底線的比值。",
    "伺服器",
    {beside.FLOOR: "底線", beside.HUBBUB: "**Hubbub**", beside.IN_MEMORY: "同上，日誌在記憶體"},
)

LANGUAGES: Final = (ENGLISH, CHINESE)


def fill(root: Path, measured: Sequence[Measured], machine: Mapping[str, str]) -> None:
    """Put the figures into the READMEs in `root`, in place of those that are there."""
    for language in LANGUAGES:
        path = root / language.file
        path.write_text(filled(path.read_text(), block(language, measured, machine)))


def filled(text: str, figures: str) -> str:
    """`text` with `figures` between the two marks. Raises `ValueError` if they are not there."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"no {START.strip()} … {END} to put the figures between")
    return f"{before}{start}{figures}{end}{after}"


def block(language: Language, measured: Sequence[Measured], machine: Mapping[str, str]) -> str:
    """The figures in one language."""
    rows = [list(language.head)]
    for each in measured:
        for goal in each.workload.goals:
            found = verdict(goal, each)
            letter = each.workload.letter
            is_ratio = goal.against is not Against.ITSELF and found.value is not None
            rows.append([
                letter,
                language.titles.get(letter, each.workload.title),
                language.figures.get(goal.name, goal.name),
                written(goal.figure, found.floor),
                written(goal.figure, found.hubbub),
                f"{found.value:.2f} ×" if is_ratio else "–",
                str(goal),
                language.verdicts[found.is_met],
            ])  # fmt: skip
    words = language.words.format(processor=machine["processor"])
    return f"{words}\n\n{markdown(rows, right=(3, 4, 5, 6))}{_beside(language, measured)}"


def _beside(language: Language, measured: Sequence[Measured]) -> str:
    """The chart and the table of others, if any was measured."""
    if not any(each.peers for each in measured):
        return ""
    table = beside.table(measured, language.server, language.names, language.figures)
    return f"\n{language.beside}\n\n![{language.chart}](docs/benchmark.svg)\n\n{table}"
