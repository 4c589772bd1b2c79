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

    __slots__ = ("mentions", "name", "read", "role")

    def __init__(self, name: str, role: str, read: int, mentions: int) -> None:
        self.name = name
        self.role = role
        self.read = read
        self.mentions = mentions


class User:
    """Somebody with at least one connection."""

    __slots__ = ("clients", "id", "known", "left", "marks", "name")

    def __init__(self, id_: int, name: str) -> None:
        self.id = id_
        self.name = name
        self.clients: set[Client] = set()
        self.marks: dict[int, Mark] = {}  # by room
        self.known = False  # whether marks hold every room
        self.left: set[int] = set()  # rooms left while the marks were being read


class Membership:
    """The connected users, by id, and which of them belong to a room."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.watchers: dict[int, set[User]] = {}
        self.heads: dict[int, int] = {}  # of rooms that have watchers
        self.mentions_heard = 0  # goes up with each entry that mentions somebody

    def connected(self, client: Client) -> User:
        """One more connection of a user."""
        identity = client.identity
        user = self.users.get(identity.user_id)
        if user is None:
            user = self.users[identity.user_id] = User(identity.user_id, identity.name)
        user.clients.add(client)
        return user

    def disconnected(self, client: Client) -> None:
        """One connection less."""
        user = self.users.get(client.identity.user_id)
        if user is None:
            return
        user.clients.discard(client)
        if not user.clients:
            del self.users[user.id]
            for room_id in list(user.marks):
                self._unwatch(user, room_id)

    def of(self, client: Client) -> User:
        """The user behind a client."""
        return self.users[client.identity.user_id]

    def learn(self, user: User, rows: Iterable[tuple[RoomRow, MarkRow]]) -> None:
        """What the database says that a user belongs to. What is known from live entries counts more."""
        for row, mark in rows:
            if row.id not in user.marks and row.id not in user.left:
                self.add(
                    user,
                    row.id,
                    Mark(row.name, row.member_role or "member", mark.read, mark.mentions),
                    mark.head,
                )
        user.left.clear()
        user.known = True

    def add(self, user: User, room_id: int, mark: Mark, head: int) -> None:
        """`user` belongs to a room, whose last entry is `head` or a later one."""
        user.marks[room_id] = mark
        user.left.discard(room_id)
        self.heads[room_id] = max(head, self.heads.get(room_id, 0))
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
        """A room has a new name."""
        for user in self.watchers.get(room_id, ()):
            user.marks[room_id].name = name

    def heard_of(self, room_id: int, entries: list[Entry]) -> None:
        """New entries in a room that has watchers: its head moves, and the mentions of those they mention."""
        self.heads[room_id] = entries[-1].seq
        for entry in entries:
            if entry.mentions:
                self._mentioned(room_id, entry)

    def _mentioned(self, room_id: int, entry: Entry) -> None:
        self.mentions_heard += 1
        for user in self.watchers.get(room_id, ()):
            if user.id in entry.mentions or (0 in entry.mentions and user.id != entry.user_id):
                user.marks[room_id].mentions += 1

    def _unwatch(self, user: User, room_id: int) -> None:
        watchers = self.watchers.get(room_id)
        if watchers is not None:
            watchers.discard(user)
            if not watchers:
                del self.watchers[room_id]
                self.heads.pop(room_id, None)
