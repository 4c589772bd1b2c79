"""What one connection that speaks says next, and whether all of it came back."""

from __future__ import annotations

import time
from collections.abc import Callable

from hubbub.bench.findings import Fault
from hubbub.bench.tally import Tally
from hubbub.bench.wire import MessageWriter


class Speaker:
    """Sends messages and waits for its own to come back, each once and in the order in which it spoke.

    In a closed loop it keeps `window` messages in flight; with a window of 0 it speaks only when told to.
    `remaining` is how many messages it may still send, or None for no end. What a refused message would have
    been is not said again.
    """

    def __init__(
        self, number: int, writer: MessageWriter, window: int, tally: Tally, send: Callable[[bytes], None]
    ) -> None:
        self.number = number
        self.remaining: int | None = 0
        self._writer = writer
        self._window = window
        self._tally = tally
        self._send = send
        self._sent = 0
        self._awaited = 1  # the number of the next message that should come back
        self._refused: set[int] = set()
        self._overtaken: set[int] = set()

    @property
    def in_flight(self) -> int:
        """Messages sent that have neither come back nor been refused."""
        refused = sum(number >= self._awaited for number in self._refused) if self._refused else 0
        return self._sent - self._awaited + 1 - refused + len(self._overtaken)

    def start(self, messages: int | None) -> None:
        """Begin a closed loop, of `messages` in all or without an end."""
        self.remaining = messages
        self.keep_going(time.monotonic_ns())

    def stop(self) -> None:
        """Say nothing more."""
        self.remaining = 0

    def say(self, intended_ns: int) -> None:
        """Send the next message, which should have been sent at `intended_ns`."""
        self._sent += 1
        self._tally.said(intended_ns, time.monotonic_ns())
        self._send(self._writer.request(self._sent, intended_ns))

    def keep_going(self, now_ns: int) -> None:
        """Fill the window again."""
        while self.remaining != 0 and self.in_flight < self._window:
            if self.remaining is not None:
                self.remaining -= 1
            self.say(now_ns)

    def heard(self, number: int, now_ns: int) -> None:
        """The speaker's message `number` came back to it."""
        if number == self._awaited:
            self._awaited += 1
            self._pass_the_refused()
        elif number > self._awaited:
            self._overtaken.update(n for n in range(self._awaited, number) if n not in self._refused)
            self._awaited = number + 1
        elif number in self._overtaken:
            self._overtaken.remove(number)
            self._note(Fault.DISORDER, f"message {number} came back after message {self._awaited - 1}")
        else:
            self._note(Fault.REPEAT, f"message {number} came back again under another number")
            return
        self._tally.heard_own(now_ns)

    def refused(self, number: int, why: str) -> None:
        """The server refused the message `number`."""
        self._note(Fault.REFUSED, f"message {number}: {why}")
        if number in self._overtaken:
            self._overtaken.remove(number)
        elif number >= self._awaited:
            self._refused.add(number)
            self._pass_the_refused()

    def note_what_is_missing(self) -> None:
        """At the end: what never came back is lost."""
        missing = self.in_flight
        if missing:
            first = min(self._overtaken, default=self._awaited)
            self._note(
                Fault.LOSS, f"{missing} messages never came back, the first is message {first}", missing
            )

    def _pass_the_refused(self) -> None:
        while self._awaited in self._refused:
            self._refused.remove(self._awaited)
            self._awaited += 1

    def _note(self, fault: Fault, what: str, times: int = 1) -> None:
        self._tally.findings.note(fault, f"connection {self.number}: {what}", times)
