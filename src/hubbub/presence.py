"""Who came and who went, told together, and once it is sure: a reload is not a leaving."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hubbub.pulse import Pulse
from hubbub.room import Room


class Presence:
    """Tells rooms of their comings and goings, a room at most once in an interval.

    Times are the event loop's, in seconds. `emptied` is called with a room that nobody is in any more.
    """

    def __init__(
        self,
        interval_seconds: float,
        grace_seconds: float,
        now: Callable[[], float],
        emptied: Callable[[Room], None],
    ) -> None:
        self._grace_seconds = grace_seconds
        self._now = now
        self._emptied = emptied
        self._dirty: set[Room] = set()
        self._leavers: deque[tuple[float, Room, str]] = deque()  # in order: the grace is the same for all
        self._pulse = Pulse(interval_seconds, self._tell)

    def came(self, room: Room, name: str) -> None:
        """A connection of user `name` is in `room`."""
        if room.come(name):
            self._news_in(room)

    def went(self, room: Room, name: str) -> None:
        """A connection of user `name` is out of `room`."""
        gone_at = self._now() + self._grace_seconds
        if room.go(name, gone_at):
            self._leavers.append((gone_at, room, name))
            if not self._grace_seconds:
                self.tick()

    def tick(self) -> None:
        """Tell of those who have been gone for long enough. To be called now and then."""
        now = self._now()
        while self._leavers and self._leavers[0][0] <= now:
            _, room, name = self._leavers.popleft()
            if room.gone(name, now):
                self._news_in(room)
            else:
                self._emptied(room)

    def stop(self) -> None:
        """Tell no more."""
        self._pulse.stop()

    def _news_in(self, room: Room) -> None:
        self._dirty.add(room)
        self._pulse.poke()

    def _tell(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for room in dirty:
            frame = room.presence()
            if frame is not None:
                room.broadcast(frame, missable=False)
            self._emptied(room)
