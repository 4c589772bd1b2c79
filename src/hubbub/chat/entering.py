"""Coming in: the greeting, entering and leaving rooms, and resuming after a lost connection.

Resuming reads the log forwards while what comes live is held, and joins the two at a number: no hole, no repeat.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec
from sqlalchemy import Connection

from hubbub import __version__, frames
from hubbub.chat.rooms import GENERAL
from hubbub.clock import rfc3339
from hubbub.connection import Client
from hubbub.errors import NO_SUCH_ROOM, NOT_ENTERED, TOO_MANY_ROOMS, Refused
from hubbub.events import (
    ChangeRoom,
    Enter,
    Entered,
    Exit,
    Exited,
    Limits,
    RoomSummary,
    Welcome,
    encode,
    wrap,
)
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.queries import LogItem, Page, RoomRow
from hubbub.log.queries import Mark as MarkRow
from hubbub.log.transaction import Change, Transaction
from hubbub.membership import Mark
from hubbub.names import key_of
from hubbub.room import Room

MESSAGES_SHOWN: Final = 50
ENTRIES_A_PAGE: Final = 500


def add_handlers(hub: Hub) -> None:
    """Give `hub` the events of this module."""
    hub.add_handler("enter", Enter, enter)
    hub.add_handler("exit", Exit, exit_room)
    hub.add_handler("change_room", ChangeRoom, change_room)


async def greet(client: Client) -> None:
    """The first thing that a new client hears: `welcome`; in the basic profile it enters `general` instead."""
    hub = client.hub
    user = hub.membership.of(client)
    rows, people = await hub.store.read(lambda connection: _belongings(connection, user.id))
    if client.closing:
        return
    hub.membership.learn(user, rows)
    if not client.full:
        await _enter_basic(client, GENERAL)
        return
    identity, settings = client.identity, hub.settings
    client.send(
        "welcome",
        Welcome(
            user=identity.name,
            display_name=identity.display_name or identity.name,
            role=identity.role,
            rooms=[
                _summary(row, user.marks[row.id], hub.membership.heads[row.id], people.get(row.id))
                for row, _ in rows
                if row.id in user.marks
            ],
            epoch=hub.epoch,
            limits=Limits(
                message_characters=settings.message_characters,
                frame_bytes=settings.read_limit_bytes,
                rooms_entered=settings.rooms_per_connection,
                messages_per_second=settings.limit_messages,
                messages_at_once=settings.limit_messages_burst,
                typing_seconds=settings.typing_seconds,
            ),
            server=f"hubbub/{__version__}",
        ),
    )
    user.welcomed.add(client)
    for room_id in user.marks.keys() - {row.id for row, _ in rows}:  # joined since they were read
        hub.tell_head(room_id)


async def enter(client: Client, request: Enter) -> None:
    """Enter a room; with `after`, resume."""
    hub, ref = client.hub, client.ref
    hub.limits.enters.take(client.identity.user_id, hub.clock.monotonic())
    resumes = bool(request.after) or (request.after is not None and request.epoch is not None)
    name = await _held(client, request) if resumes else request.room
    room = client.rooms.get(name) or await _another(client, name, make=not resumes)
    if resumes and _names_a_room(hub, request.epoch) and room_epoch(hub.epoch, room.id) != request.epoch:
        hub.forget_if_empty(room)
        raise Refused(NO_SUCH_ROOM)  # it gave its name up just now
    if client.closing:
        hub.forget_if_empty(room)
        return
    newly = not room.hears(client)
    hub.admit(client, room, name)
    try:
        reading = await _read(hub, client, room, request)
    except BaseException:
        hub.dismiss(client, room)
        raise
    if not room.hears(client):  # removed from it meanwhile, or closed, and then nobody is told
        raise Refused(NO_SUCH_ROOM)
    if newly:
        hub.figures.entered += 1
    room.head = max(room.head, reading.page.head)
    client.send_frame(_entered_frame(client, room, reading, ref))
    if reading.resumed and reading.page.more:
        items = reading.page.items
        held = room.leave_behind(client, items[-1].seq + 1 if items else reading.page.head + 1)
    else:
        held = room.release(client, reading.page.head)
    if held:
        client.write(held)
    if client.behind_since is not None:  # since it began to enter, or by what it was just sent
        room.fall_behind(client)


def exit_room(client: Client, request: Exit) -> None:
    """Stop hearing a room."""
    room = client.rooms.get(request.room)
    if room is None:
        raise Refused(NOT_ENTERED)
    client.hub.dismiss(client, room)
    client.reply("exited", Exited(room.name))


async def change_room(client: Client, request: ChangeRoom) -> None:
    """Basic profile: leave the room you are in and enter another."""
    for room in client.distinct_rooms():
        client.hub.dismiss(client, room)
    await _enter_basic(client, request.name)


async def _enter_basic(client: Client, name: str) -> None:
    hub = client.hub
    hub.limits.enters.take(client.identity.user_id, hub.clock.monotonic())
    room = await _admissible(client, name)
    if client.closing:
        hub.forget_if_empty(room)
        return
    hub.admit(client, room, name)
    room.release(client, room.head)
    if client.behind_since is not None:
        room.fall_behind(client)


async def _held(client: Client, request: Enter) -> str:
    """The name of the room whose entries a client holds. For one who resumes, nothing is made.

    A private room gives its name up to somebody who, not seeing it, makes another room of that name. One who resumes
    the former, with messages that are meant for it, must not find itself in the latter: the epoch tells them apart.
    """
    hub = client.hub
    if not _names_a_room(hub, request.epoch):
        return request.room
    for room_id, mark in hub.membership.of(client).marks.items():
        if room_epoch(hub.epoch, room_id) == request.epoch:
            return mark.name
    row = await hub.directory.find(client.identity, request.room)  # one may have left it, and may come again
    if row is None or room_epoch(hub.epoch, row.id) != request.epoch:
        raise Refused(NO_SUCH_ROOM)
    return row.name


@lru_cache(maxsize=1 << 14)
def room_epoch(log: str, room_id: int) -> str:
    """The name of one room's numbers: that of the log, and what tells the room from others, whatever they are called."""
    return f"{log}.{blake2b(f'{log}.{room_id}'.encode(), digest_size=8).hexdigest()}"


def _names_a_room(hub: Hub, epoch: str | None) -> bool:
    """Whether an epoch is that of a room of this log."""
    return epoch is not None and epoch.startswith(f"{hub.epoch}.")


async def _another(client: Client, name: str, *, make: bool) -> Room:
    """The room called `name`, for one who is not in it by this name. Nothing is made or joined for one in too many."""
    hub = client.hub
    most = hub.settings.rooms_per_connection
    in_use = hub.room_in_use(key_of(name))
    if client.entered >= most and (in_use is None or not in_use.hears(client)):
        raise Refused(TOO_MANY_ROOMS, f"A connection may be in {most} rooms at once.")
    return await _admissible(client, name, make=make)


class _Nothing(Change):
    """Whoever waits for it has heard of all that was written before."""

    __slots__ = ()

    def apply(self, tx: Transaction) -> None:
        """Nothing."""


async def _admissible(client: Client, name: str, *, make: bool = True) -> Room:
    """The room called `name`, of which the client's user is a member now; made, and joined, if need be."""
    hub = client.hub
    user = hub.membership.users.get(client.identity.user_id)
    in_use = hub.room_in_use(key_of(name))
    if in_use is not None and user is not None and in_use.id in user.marks:
        return in_use
    while True:
        changes = hub.membership.rooms_changed
        row = await hub.directory.open(client.identity, name, make=make)
        if row.id in hub.rooms or changes == hub.membership.rooms_changed:
            break  # else the row may be older than a change that no room in use has heard of
    if user is not None and user.known and row.id not in user.marks:
        await hub.commit(_Nothing())  # joined a moment ago by another connection: on disk, and soon delivered
        if row.id not in user.marks:
            raise Refused(NO_SUCH_ROOM)  # removed since it was read
    return hub.room(row)


class _Reading:
    """What was read from the log for one who enters."""

    __slots__ = ("mark", "page", "reset", "resumed")

    def __init__(self, page: Page, mark: MarkRow, *, resumed: bool, reset: bool) -> None:
        self.page = page
        self.mark = mark
        self.resumed = resumed
        self.reset = reset


async def _read(hub: Hub, client: Client, room: Room, request: Enter) -> _Reading:
    user_id, room_id, after = client.identity.user_id, room.id, request.after
    foreign = request.epoch not in (None, hub.epoch, room_epoch(hub.epoch, room_id))

    def read(connection: Connection) -> _Reading:
        mark = queries.mark(connection, user_id, room_id)
        if mark is None:
            raise Refused(NO_SUCH_ROOM)  # removed, which the event loop has yet to hear
        if after is not None and not foreign and after <= mark.head:
            page = queries.entries_after(connection, room_id, after, ENTRIES_A_PAGE)
            return _Reading(page, mark, resumed=True, reset=False)
        page = queries.messages(connection, room_id, MESSAGES_SHOWN)
        return _Reading(page, mark, resumed=False, reset=after is not None)

    return await hub.store.read(read)


def _entered_frame(client: Client, room: Room, reading: _Reading, ref: str | int | None) -> bytes:

    user = client.hub.membership.users.get(client.identity.user_id)
    mark = user.marks.get(room.id) if user else None
    page, prefix = reading.page, room.prefix
    # Another connection may have read further, and this one been told so, since the log was looked at.
    read = max(reading.mark.read, mark.read) if mark else reading.mark.read
    entered = Entered(
        room=room.name,
        kind=room.kind,
        topic=room.topic,
        head=page.head,
        epoch=room_epoch(client.hub.epoch, room.id),
        present=room.present(),
        present_count=room.present_count,
        read=read,
        unread=max(page.head - read, 0),
        mentions=reading.mark.mentions,
        role=mark.role if mark else "member",
        more=reading.resumed and page.more,
        archived=room.archived,
        reset=reading.reset,
        earlier=not reading.resumed and page.more,
        messages=None if reading.resumed else [_payload(prefix, item) for item in page.items],
        entries=[_event(prefix, item) for item in page.items] if reading.resumed else None,
    )
    return frames.text(encode("entered", entered, ref))


def _payload(prefix: bytes, item: LogItem) -> msgspec.Raw:
    return msgspec.Raw(prefix + item.body[1:].encode())


def _event(prefix: bytes, item: LogItem) -> msgspec.Raw:
    return msgspec.Raw(wrap(item.type, prefix + item.body[1:].encode()))


def _belongings(
    connection: Connection, user_id: int
) -> tuple[list[tuple[RoomRow, MarkRow]], dict[int, list[str]]]:
    """Every room the user belongs to, and who is in the direct ones."""
    rows = queries.rooms_of_member(connection, user_id)
    direct = [row.id for row, _ in rows if row.kind == "direct"]
    return rows, queries.direct_members(connection, direct) if direct else {}


def _summary(row: RoomRow, mark: Mark, head: int, people: list[str] | None) -> RoomSummary:
    """What the log says of the room, as far as the event loop has heard."""
    return RoomSummary(
        room=mark.name,
        kind=row.kind,
        head=head,
        read=mark.read,
        unread=max(head - mark.read, 0),
        mentions=mark.mentions,
        topic=row.topic,
        archived=row.archived,
        members=people,
        role=mark.role,
        active=rfc3339(row.active / 1000) if row.active is not None else None,
    )
