"""News of rooms that one belongs to and is not in: `room_head`, a room at most once in an interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hubbub import frames
from hubbub.connection import Client
from hubbub.events import RoomHead, encode
from hubbub.log.transaction import Entry
from hubbub.membership import Membership, User
from hubbub.pulse import Pulse
from hubbub.room import Room


class Heads:
    """Tells connected members of the heads of rooms that they are not in."""

    def __init__(self, interval_seconds: float, membership: Membership, rooms: Mapping[int, Room]) -> None:
        self._membership = membership
        self._rooms = rooms
        self._dirty: set[int] = set()
        self._late: dict[Client, set[int]] = {}  # rooms of which those are still to be told who were behind
        self._pulse = Pulse(interval_seconds, self._tell)

    def moved(self, room_id: int, entries: list[Entry]) -> None:
        """A room has new entries."""
        if self._membership.heard_of(room_id, entries):
            self.tell(room_id)

    def tell(self, room_id: int) -> None:
        """Tell of a room's head, soon."""
        self._dirty.add(room_id)
        self._pulse.poke()

    def stop(self) -> None:
        """Tell no more."""
        self._pulse.stop()

    def _tell(self) -> None:
        dirty, self._dirty = self._dirty, set()
        late, self._late = self._late, {}
        users: dict[User, list[int]] = {}
        for room_id in dirty:
            watchers = self._membership.watchers.get(room_id, ())
            if not self._all_inside(room_id, watchers):
                for user in watchers:
                    users.setdefault(user, []).append(room_id)
        for user, room_ids in users.items():
            self._tell_user(user, room_ids)
        for client, missed in late.items():
            known = self._membership.users.get(client.identity.user_id)
            if known is not None and client in known.welcomed:
                self._tell_client(
                    client, [room_id for room_id in missed if room_id in known.marks], {}, known
                )
        if self._late:
            self._pulse.poke()

    def _all_inside(self, room_id: int, watchers: Collection[User]) -> bool:
        """Whether every connection of a room's members is in it, as is usual in a busy room: then nobody is to be told."""
        room = self._rooms.get(room_id)
        return room is not None and len(room.readers) >= sum([len(user.clients) for user in watchers])

    def _tell_user(self, user: User, room_ids: list[int]) -> None:
        news: dict[int, bytes] = {}
        for client in user.welcomed:
            self._tell_client(client, room_ids, news, user)

    def _tell_client(self, client: Client, room_ids: list[int], news: dict[int, bytes], user: User) -> None:
        """Tell one connection of the rooms it is not in; `news` are their frames, as far as they were made."""
        if client.closing:
            return
        inside = {room.id for room in client.rooms.values()}
        outside = [room_id for room_id in room_ids if room_id not in inside]
        if not outside:
            return
        if client.behind_since is not None:
            self._late.setdefault(client, set()).update(outside)
            return
        for room_id in outside:
            if room_id not in news:
                news[room_id] = self._frame(user, room_id)
        client.write(b"".join([news[room_id] for room_id in outside]))

    def _frame(self, user: User, room_id: int) -> bytes:
        mark = user.marks[room_id]
        head = RoomHead(mark.name, self._membership.heads[room_id], mark.mentions)
        return frames.text(encode("room_head", head))
