"""Changes for the log's tests: one for each thing that may happen to a change."""

from __future__ import annotations

from sqlalchemy import insert

from hubbub.errors import CONFLICT, Refused
from hubbub.events import MemberJoined, NewMessage
from hubbub.log.schema import meta
from hubbub.log.transaction import Change, Transaction


class Say(Change):
    """A message of `user_id`, looked up among the stored ones first if the transaction asks for it, or always."""

    def __init__(
        self, room_id: int, text: str = "hi", *, id_: str | None = None, user_id: int = 1, looks: bool = False
    ) -> None:
        super().__init__()
        self.room_id = room_id
        self.text = text
        self.id = id_
        self.user_id = user_id
        self.looks = looks
        self.finishes = 0

    def apply(self, tx: Transaction) -> None:
        name = f"room-{self.room_id}"
        if (self.looks or tx.careful) and (
            repeat := tx.repeated(self.room_id, name, self.user_id, self.id)
        ) is not None:
            self.entries.append(repeat)
            return
        payload = NewMessage(
            name,
            tx.head(self.room_id) + 1,
            id=self.id or "",
            from_=f"user-{self.user_id}",
            message=self.text,
            sent=tx.sent,
        )
        tx.append(self, self.room_id, "new_message", self.user_id, payload, self.id)

    def finished(self) -> None:
        self.finishes += 1

    @property
    def seq(self) -> int:
        """The number that it got."""
        return self.entries[-1].seq


class Refuse(Say):
    """A change that is refused before it writes anything."""

    def apply(self, tx: Transaction) -> None:
        tx.head(self.room_id)
        raise Refused(CONFLICT, "Not now.")


class Crash(Say):
    """A change with a fault in it, which shows before it writes anything."""

    def apply(self, tx: Transaction) -> None:
        raise RuntimeError("a fault")


class CrashLate(Say):
    """A change with a fault in it, which shows after it has written."""

    def apply(self, tx: Transaction) -> None:
        super().apply(tx)
        tx.connection.execute(insert(meta).values(key=f"late-{self.id}", value="written"))
        raise RuntimeError("a fault")


class BreakRule(Say):
    """A change that breaks a rule of the database."""

    def apply(self, tx: Transaction) -> None:
        super().apply(tx)
        tx.connection.execute(insert(meta).values(key="epoch", value="another"))


class Join(Say):
    """An entry that is no message."""

    def apply(self, tx: Transaction) -> None:
        name = f"room-{self.room_id}"
        payload = MemberJoined(name, tx.head(self.room_id) + 1, user=self.text)
        tx.append(self, self.room_id, "member_joined", self.user_id, payload, None)
