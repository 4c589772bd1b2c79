"""Hostile texts without markup: directions, what is not seen, heaps of marks, great lengths, and bombs for parsers."""

from __future__ import annotations

from typing import Final

RLO, _LRO, _PDF = "\u202e", "\u202d", "\u202c"
_RLI, _LRI, _FSI, _PDI = "\u2067", "\u2066", "\u2068", "\u2069"
_ZWSP, _ZWNJ, _ZWJ, _BOM, _WJ, _SHY = "\u200b", "\u200c", "\u200d", "\ufeff", "\u2060", "\u00ad"
MARKS: Final = "".join(map(chr, range(0x300, 0x330)))

DIRECTIONS: Final = (
    f"{RLO}txet desrever",
    f"invoice{RLO}gpj.exe",
    f"{_LRO}forced{_PDF} {RLO}decrof",
    f"{_RLI}{_LRI}{_FSI}never ended",
    f"{_PDI}{_PDI}{_PDF}ended too often",
    f"{RLO * 50}many",
    "\u05d0\u05d1\u05d2 abc \u05d3\u05d4\u05d5 123 (\u05d6)",
    "\u0645\u0631\u062d\u0628\u0627 <b>abc</b> 12:30",
    f"pay {RLO}00.01{_PDF} dollars",
    f"**{RLO}bold{_PDF}** after",
    f"[{RLO}knil](https://example.org/)",
    f"`{RLO}code` after",
    "\u061c\u200e\u200fmarks alone",
)

INVISIBLE: Final = (
    f"in{_ZWSP}vis{_ZWNJ}ible{_ZWJ}{_BOM}{_WJ}{_SHY}",
    _ZWSP + "a",
    _ZWSP * 5000 + "after five thousand",
    "\u2800\u3164\uffa0blank letters",
    "\u2028line separator\u2029paragraph separator",
    "\u0085next line\x0bvertical tab\x0cform feed",
    "".join(map(chr, range(1, 32))) + "controls",
    "\x7f\x80\x9fdelete and c1",
    "\u2400 symbol for null, \\0 \\u0000 %00",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 escape",
    "\x08\x08\x08\x08backspace",
    "\ufffe\uffff\U0001fffe no characters",
    "\ufff9annotated\ufffaannotation\ufffb",
    "".join(chr(0xE0000 + ord(letter)) for letter in "hidden tag text") + "tags",
    "\ue000\uf8ff\U000f0000 private",
    "\ufeff\ufeffbyte order",
    "\n" * 3000 + "after three thousand lines",
    " " * 3000 + "after three thousand spaces",
    "a" + "\t" * 500 + "b",
    "\u00a0" * 4000 + "unbreakable",
)

ZALGO: Final = (
    "".join(letter + MARKS for letter in "zalgo comes"),
    "Z" + MARKS * 60,
    MARKS * 20 + "marks without a letter",
    "\u0e01" + "\u0e49" * 300 + "thai",
    "\u0b95" + "\u0bcd" * 300 + "tamil",
    "\u0644" + "\u064b\u0651" * 200 + "arabic",
    "\u20dd\u20de\u20e0" * 30 + "enclosed",
    "\ufdfd" * 30,
    "\U00012219" * 20,
    "\ufdfa" * 60,
)

EMOJI: Final = (
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family",
    ("\U0001f468\u200d" * 400) + "\U0001f466 joined without end",
    "\U0001f44d\U0001f3fb\U0001f44d\U0001f3ff skin",
    "\U0001f1f9\U0001f1fc\U0001f1f9 flags and a half",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f england",
    "\u2764\ufe0f\u200d\U0001f525 \u2764\ufe0e text style",
    "\U0001f3fb\U0001f3fc alone",
    "1\ufe0f\u20e3#\ufe0f\u20e3 keycaps",
    "\U0001f600" * 2000,
    "\ufe0f" * 500 + "selectors",
)

LONG: Final = (
    "w" * 10_000,
    "W" * 9_990 + " end",
    "\u6c34" * 10_000,
    "https://example.org/" + "a" * 9_000,
    "`" + "c" * 9_000 + "`",
    "```\n" + "fence" * 1_900 + "\n```",
    "# " + "heading" * 1_000,
    "| " + " | ".join("cell" for _ in range(400)) + " |\n|" + "---|" * 400,
    "**" + "bold" * 2_000 + "**",
    "[" + "link" * 1_000 + "](https://example.org/" + "p" * 2_000 + ")",
    "> " + "quote" * 1_500,
    "@" + "name" * 2_000,
    ":" + "emoji" * 1_500 + ":",
    "\u0639" * 5_000,
    "\n".join("line" for _ in range(1_990)),
    "a\u00a0" * 4_500,
    "1" * 9_000,
    "_" * 9_000 + "a",
)

# What takes a careless parser very long.
BOMBS: Final = (
    "*" * 9_000,
    "_a" * 4_900,
    "*a **a " * 1_400,
    "**a *a " * 1_400,
    "[a](" * 2_400,
    "[a](b" * 1_900,
    "![[]()" * 1_600,
    "`" * 5_000 + "a" + "`" * 4_000,
    "".join("`" * length + " " for length in range(1, 130)),
    "a" + " " * 9_000 + "b",
    "<a " + "x='" * 3_000,
    "<!" + "-" * 9_000,
    "</" * 4_900,
    '<a href="' * 1_000,
    "&" * 9_900,
    "\\" * 9_901,
    "~~a " * 2_400,
    "| a " * 2_400 + "\n| - " * 10,
    "> - " * 2_400,
    "\t> " * 1_000 + "tabs",
    "http://" * 1_400,
    "www." * 2_400,
    "a@" * 4_900,
    "x." * 4_900 + "@",
    "[x]: " * 1_900,
    "\n[a]: b" * 1_200 + "\n\n[a]",
    "* a\n " * 1_900,
    "-" * 9_000 + "\n" + "=" * 900,
    "#" * 9_000,
    "@" * 9_000,
    ":" * 9_000,
    "(" + "a" * 30 + ")" * 5_000 + "!",
)

# Letters that look like others.
HOMOGLYPHS: Final = (
    "\u043elga \u0440eter p\u0430ypal",
    "\u0261enera\u217c",
    "\U0001d4f8\U0001d4f5\U0001d4f0\U0001d4ea",
    "\uff4f\uff4c\uff47\uff41",
    "https://\u0430pple.example/",
    "@\u043elga @pet\u0435r @here\u200b",
    "rn m vv w cl d l I 1 O 0",
    "\u01c3 \u2215 \u2044 \u29f8 \uff0f \u2571",
)

# One text each, as it is sent. Half of a surrogate pair can be written in JSON, so the server has to say what it thinks.
HALF_CHARACTERS: Final = ("\ud800", "text \udc00 text", "\udc00\ud800", "\ud83d half an emoji")
