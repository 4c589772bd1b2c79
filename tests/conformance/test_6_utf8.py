"""Autobahn, group 6: text is UTF-8, and nothing else is text.

The suite's 6.4 would have a bad fragment refused at once; the last one is waited for here, which it lets pass as
"non-strict": nothing of the message is used before it is whole, and it is refused with 1007 all the same.
"""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, fragments, hold, pieces
from tests.support.raw import TEXT, frame

pytestmark = pytest.mark.asyncio

HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
GREEK = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
SURROGATE = GREEK + b"\xed\xa0\x80" + b"edited"
BEYOND = b"\xf4\x90\x80\x80"
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"

# By the second number of the case, in order: valid (+) or not (-), and the bytes. After Markus Kuhn's UTF-8 test.
SEQUENCES = {
    5: "+68656c6c6f24776f726c64 +68656c6c6fc2a2776f726c64 +68656c6c6fe282ac776f726c64 +68656c6c6ff0a4ada2776f726c64 +cebae1bdb9cf83cebcceb5",
    6: "-ce +ceba -cebae1 -cebae1bd +cebae1bdb9 -cebae1bdb9cf +cebae1bdb9cf83 -cebae1bdb9cf83ce +cebae1bdb9cf83cebc -cebae1bdb9cf83cebcce +cebae1bdb9cf83cebcceb5",
    7: "+00 +c280 +e0a080 +f0908080",
    8: "-f888808080 -fc8480808080",
    9: "+7f +dfbf +efbfbf +f48fbfbf",
    10: "-f7bfbfbf -fbbfbfbfbf -fdbfbfbfbfbf",
    11: "+ed9fbf +ee8080 +efbfbd +f48fbfbf -f4908080",
    12: "-80 -bf -80bf -80bf80 -80bf80bf -80bf80bf80 -80bf80bf80bf -808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbe",
    13: "-c020c120c220c320c420c520c620c720c820c920ca20cb20cc20cd20ce20cf20d020d120d220d320d420d520d620d720d820d920da20db20dc20dd20de20 -e020e120e220e320e420e520e620e720e820e920ea20eb20ec20ed20ee20 -f020f120f220f320f420f520f620 -f820f920fa20 -fc20",
    14: "-c0 -e080 -f08080 -f8808080 -fc80808080 -df -efbf -f7bfbf -fbbfbfbf -fdbfbfbfbf",
    15: "-c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf",
    16: "-fe -ff -fefeffff",
    17: "-c0af -e080af -f08080af -f8808080af -fc80808080af",
    18: "-c1bf -e09fbf -f08fbfbf -f887bfbfbf -fc83bfbfbfbf",
    19: "-c080 -e08080 -f0808080 -f880808080 -fc8080808080",
    20: "-eda080 -edadbf -edae80 -edafbf -edb080 -edbe80 -edbfbf",
    21: "-eda080edb080 -eda080edbfbf -edadbfedb080 -edadbfedbfbf -edae80edb080 -edae80edbfbf -edafbfedb080 -edafbfedbfbf",
    22: "+efbfbe +efbfbf +f09fbfbe +f09fbfbf +f0afbfbe +f0afbfbf +f0bfbfbe +f0bfbfbf +f18fbfbe +f18fbfbf +f19fbfbe +f19fbfbf +f1afbfbe +f1afbfbf +f1bfbfbe +f1bfbfbf +f28fbfbe +f28fbfbf +f29fbfbe +f29fbfbf +f2afbfbe +f2afbfbf +f2bfbfbe +f2bfbfbf +f38fbfbe +f38fbfbf +f39fbfbe +f39fbfbf +f3afbfbe +f3afbfbf +f3bfbfbe +f3bfbfbf +f48fbfbe +f48fbfbf",
    23: "+efbfb9 +efbfba +efbfbb +efbfbc +efbfbd +efbfbe +efbfbf",
}


def _of_sequences() -> list[Case]:
    found = []
    for group, sequences in SEQUENCES.items():
        for number, sequence in enumerate(sequences.split(), 1):
            data = bytes.fromhex(sequence[1:])
            if sequence[0] == "+":
                found.append(Case(f"6.{group}.{number}", frame(TEXT, data), [(TEXT, data)]))
            else:
                found.append(Case(f"6.{group}.{number}", frame(TEXT, data), code=1007))
    return found


@pytest.mark.parametrize(
    "case",
    cases(
        Case("6.1.1", frame(TEXT), [(TEXT, b"")]),
        Case("6.1.2", fragments(TEXT, (b"", b"", b"")), [(TEXT, b"")]),
        Case("6.1.3", fragments(TEXT, (b"", ALPHABET, b"")), [(TEXT, ALPHABET)]),
        Case("6.2.1", frame(TEXT, HELLO), [(TEXT, HELLO)]),
        Case("6.2.2", fragments(TEXT, (HELLO[:12], HELLO[12:])), [(TEXT, HELLO)]),
        Case("6.2.3", fragments(TEXT, pieces(HELLO, 1)), [(TEXT, HELLO)]),
        Case("6.2.4", fragments(TEXT, pieces(GREEK, 1)), [(TEXT, GREEK)]),
        Case("6.3.1", frame(TEXT, SURROGATE), code=1007),
        Case("6.3.2", fragments(TEXT, pieces(SURROGATE, 1)), code=1007),
        Case("6.4.1", fragments(TEXT, (GREEK, BEYOND, b"edited")), code=1007),
        Case("6.4.2", fragments(TEXT, (GREEK + BEYOND[:1], BEYOND[1:], b"edited")), code=1007),
        Case("6.4.3", frame(TEXT, GREEK + BEYOND + b"edited"), code=1007, chop=23),
        Case("6.4.4", frame(TEXT, GREEK + BEYOND + b"edited"), code=1007, chop=1),
        *_of_sequences(),
    ),
)
async def test_text_is_utf8(echo: Echo, case: Case) -> None:
    await hold(echo, case)
