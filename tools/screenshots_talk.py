"""Who is in the pictures, and what they say. `Line.answers` counts the lines of its room from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PASSWORD: Final = "only for pictures"  # noqa: S105 - of a server that lives for seconds
READER: Final = "mei"

# Name, display name, role.
PEOPLE: Final = (
    ("mei", "林美玲", "owner"),
    ("ada", "Ada Brandt", "member"),
    ("jonas", "Jonas Weber", "member"),
    ("yating", "陳雅婷", "member"),
    ("sam", "Sam Okafor", "member"),
)


@dataclass(frozen=True)
class Line:
    """One message, what it answers, and who liked it with what."""

    who: str
    text: str
    answers: int | None = None
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    better: str = ""  # what it is edited to


@dataclass(frozen=True)
class Room:
    """A room, and what is said there. The reader has read all but the last `unread` lines."""

    name: str
    topic: str
    lines: tuple[Line, ...]
    unread: int = 0


_CODE: Final = '''I think it is the retry. This is all it needs:
```python
async def send(message: Message) -> Receipt:
    """Send once, however often we try."""
    for delay in backoff(first=0.5, most=30):
        with suppress(ConnectionError):
            return await outbox.post(message, id=message.id)
        await sleep(delay)
```'''

ROOMS: Final = (
    Room("books", "What we read", (Line("ada", "The new one by Ishiguro is on the shelf"),), unread=1),
    Room(
        "release",
        "Version 2.4, out on Thursday",
        (
            Line("jonas", "The second build is up. Who can try it on a slow connection?"),
            Line("sam", "On a train right now, so: me 🚆", reactions=(("😄", ("jonas", "mei")),)),
            Line(
                "sam",
                "Messages waited in the tunnel and came out **in order**, each once. But the spinner stays a little long.",
            ),
            Line("ada", _CODE, answers=2, reactions=(("👍", ("jonas", "sam", "mei")), ("🎉", ("mei",)))),
            Line(
                "jonas",
                "Tried it with the network off and on, twenty times:\n\n- nothing lost\n- nothing twice\n- the draft stays when the tab is closed",
            ),
            Line(
                "mei",
                "Then we go on Thursday. @ada writes the notes, I tell everybody.",
                reactions=(("✅", ("ada", "jonas")),),
            ),
            Line("ada", "Notes are at https://example.org/notes/2.4, have a look before lunch"),
        ),
    ),
    Room(
        "general",
        "For everybody, about anything",
        (
            Line(
                "mei",
                "Good morning. The kitchen has a new coffee machine ☕",
                reactions=(("🎉", ("ada", "sam", "yating")), ("☕", ("jonas",))),
            ),
            Line("sam", "Does it do tea?"),
            Line("mei", "It does hot water, and we have tea 🙂", answers=1),
            Line("yating", "大家早安！下午三點在二樓會議室，記得帶筆電"),
            Line("ada", "Translating for Jonas: 3 pm, second floor, bring your laptop"),
            Line("jonas", "謝謝 @yating，我會到", reactions=(("❤️", ("yating", "mei")),)),
            Line(
                "ada",
                "Agenda so far:\n\n1. What we learned from **2.3**\n2. `search` in Chinese, a demo\n3. Who brings cake",
            ),
            Line("sam", "I bring cake. Carrot or chocolate?"),
            Line("yating", "兩種都要 😋", answers=7, reactions=(("😂", ("sam", "ada")),)),
        ),
    ),
    Room(
        "茶水間",
        "聊什麼都可以",
        (
            Line("yating", "中午有人要訂便當嗎？"),
            Line("mei", "我要一個雞腿便當，謝謝"),
            Line("sam", "排骨 🙋", answers=0, reactions=(("👍", ("yating",)),)),
            Line("yating", "好，統計一下：\n\n- 雞腿 ×2\n- 排骨 ×1\n- 素食 ×1\n\n**十一點半**前還可以改"),
            Line("jonas", "素食是我的。請問怎麼付錢？"),
            Line(
                "yating",
                "先幫大家付，月底再一起算就好",
                answers=4,
                reactions=(("🙏", ("jonas", "mei", "sam")),),
            ),
            Line("mei", "對了，新版的搜尋可以找中文了，兩個字也找得到，例如「便當」。試試看！"),
            Line("ada", "@mei 找到了，連上個月的也有 👏", reactions=(("😄", ("mei",)),)),
        ),
    ),
    Room(
        "design",
        "Colours, type, and what to leave out",
        (Line("ada", "Darker grey for the times?"), Line("jonas", "@mei what do you think?")),
        unread=2,
    ),
)

DIRECT: Final = (
    Room("jonas", "", (Line("jonas", "Do you have five minutes after lunch?"), Line("mei", "Of course"))),
    Room("yating", "", (Line("yating", "照片傳好了"),), unread=1),
)
