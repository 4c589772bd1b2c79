"""Users who are connected, the rooms they belong to, and how far they have read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hubbub.connection import Client

if TYPE_CHECKING:
    from hubbub.log.queries import Mark as MarkRow
    from hubbub.log.queries import RoomRow
    from hubbub.log.transaction import Entry


class Mark:
    """How far one user has read one room, as far as the event loop knows."""

    __slots__ = ("_latest", "mentions", "name", "read", "role")

    def __init__(self, name: str, role: str, read: int, mentions: int) -> None:
        self.name = name
        self.role = role
        self.read = read
        self.mentions = mentions
        self._latest: tuple[int, ...] = ()  # the numbers of those mentions that came with the last entries

    def mentioned(self, seq: int, first: int) -> None:
        """Entry `seq` mentions the user; it came with others from `first` on."""
        self.mentions += 1
        self._latest = (*(other for other in self._latest if other >= first), seq)

    def moved(self, read: int, mentions: int, head: int) -> None:
        """The user has read up to `read`; since then there were `mentions` up to `head`, by the log."""
        self.read = read
        # Of what was written together some may have come after it was counted.
        self.mentions = mentions + sum(seq > head for seq in self._latest)


class User:
    """Somebody with at least one connection."""

    __slots__ = ("clients", "id", "known", "left", "marks", "name", "welcomed")

    def __init__(self, id_: int, name: str) -> None:
        self.id = id_
        self.name = name
        self.clients: set[Client] = set()
        self.welcomed: set[Client] = (
            set()
        )  # of the full profile, and past the `welcome`, before which comes nothing
        self.marks: dict[int, Mark] = {}  # by room
        self.known = False  # whether marks hold every room
        self.left: set[int] = set()  # rooms left while the marks were being read


class Membership:
    """The connected users, by id, and which of them belong to a room."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.watchers: dict[int, set[User]] = {}
        self.heads: dict[int, int] = {}  # of rooms that have watchers
        self.rooms_changed = 0  # goes up with each change of a room: what was read before may be of old
        # While the marks of some are being read from the database: what the others hear meanwhile.
        self._unknown: set[User] = set()
        self._heads_meanwhile: dict[int, int] = {}
        self._mentions_meanwhile: dict[int, list[Entry]] = {}

    def connected(self, client: Client) -> User:
        """One more connection of a user."""
        identity = client.identity
        user = self.users.get(identity.user_id)
        if user is None:
            user = self.users[identity.user_id] = User(identity.user_id, identity.name)
            self._unknown.add(user)
        user.clients.add(client)
        return user

    def disconnected(self, client: Client) -> None:
        """One connection less."""
        user = self.users.get(client.identity.user_id)
        if user is None:
            return
        user.clients.discard(client)
        user.welcomed.discard(client)
        if not user.clients:
            del self.users[user.id]
            self._no_more_unknown(user)
            for room_id in list(user.marks):
                self._unwatch(user, room_id)

    def of(self, client: Client) -> User:
        """The user behind a client."""
        return self.users[client.identity.user_id]

    def learn(self, user: User, rows: Iterable[tuple[RoomRow, MarkRow]]) -> None:
        """What the database says that a user belongs to. What is known from live entries counts more."""
        if user.known:  # and every change since: what was read may be older
            return
        for row, mark in rows:
            if row.id not in user.marks and row.id not in user.left:
                self.add(user, row.id, self._mark(user, row, mark), mark.head)
        user.left.clear()
        user.known = True
        self._no_more_unknown(user)

    def _mark(self, user: User, row: RoomRow, mark: MarkRow) -> Mark:
        """What the database says of one room, and what was heard since."""
        found = Mark(row.name, row.member_role or "member", mark.read, mark.mentions)
        for entry in self._mentions_meanwhile.get(row.id, ()):
            if entry.seq > mark.head and _mentions(entry, user):
                found.mentioned(entry.seq, entry.seq)
        return found

    def _no_more_unknown(self, user: User) -> None:
        self._unknown.discard(user)
        if not self._unknown:
            self._heads_meanwhile.clear()
            self._mentions_meanwhile.clear()

    def add(self, user: User, room_id: int, mark: Mark, head: int) -> None:
        """`user` belongs to a room, whose last entry is `head` or a later one."""
        user.marks[room_id] = mark
        user.left.discard(room_id)
        self.heads[room_id] = max(head, self.heads.get(room_id, 0), self._heads_meanwhile.get(room_id, 0))
        self.watchers.setdefault(room_id, set()).add(user)

    def joined(self, user_id: int, room_id: int, mark: Mark, head: int) -> None:
        """Somebody, connected or not, became a member."""
        user = self.users.get(user_id)
        if user is not None:
            self.add(user, room_id, mark, head)

    def left(self, user_id: int, room_id: int) -> User | None:
        """Somebody is a member no more. Returns the user if connected."""
        user = self.users.get(user_id)
        if user is None:
            return None
        user.marks.pop(room_id, None)
        self._unwatch(user, room_id)
        if not user.known:
            user.left.add(room_id)
        return user

    def renamed(self, room_id: int, name: str) -> None:
        """A room has a new name, or changed in another way."""
        self.rooms_changed += 1
        for user in self.watchers.get(room_id, ()):
            user.marks[room_id].name = name

    def heard_of(self, room_id: int, entries: list[Entry]) -> bool:
        """New entries in a room: its head moves, and the mentions of those they mention. Whether anyone is to be told."""
        head = entries[-1].seq
        mentioning = [entry for entry in entries if entry.mentions]
        if self._unknown:
            self._heads_meanwhile[room_id] = head
            self._mentions_meanwhile.setdefault(room_id, []).extend(mentioning)
        watchers = self.watchers.get(room_id)
        if not watchers:
            return False
        self.heads[room_id] = head
        for entry in mentioning:
            for user in watchers:
                if _mentions(entry, user):
                    user.marks[room_id].mentioned(entry.seq, entries[0].seq)
        return True

    def _unwatch(self, user: User, room_id: int) -> None:
        watchers = self.watchers.get(room_id)
        if watchers is not None:
            watchers.discard(user)
            if not watchers:
                del self.watchers[room_id]
                self.heads.pop(room_id, None)


def _mentions(entry: Entry, user: User) -> bool:
    return user.id in entry.mentions or (0 in entry.mentions and user.id != entry.user_id)
