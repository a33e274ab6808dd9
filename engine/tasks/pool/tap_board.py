"""The taps of a task, as the front sees them: what its processes show goes to those who asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from engine.tasks.wire.channel import MessageChannel
from engine.tasks.wire.messages import AttachTap, DetachTap, Tapped

Show = Callable[[Tapped], None]


class TapBoard:
    """Attaches taps to the processes of a task, those that start later included."""

    def __init__(self) -> None:
        self._taps: dict[int, tuple[AttachTap, Show]] = {}
        self._channels: set[MessageChannel] = set()
        self._numbers = itertools.count(1)

    @property
    def processes(self) -> int:
        """Processes to which taps are attached."""
        return len(self._channels)

    def attach(self, views: Sequence[str], condition: str, show: Show) -> int:
        """The number of a new tap, which calls `show` until it is detached."""
        tap = AttachTap(next(self._numbers), list(views), condition)
        self._taps[tap.number] = tap, show
        for channel in self._channels:
            channel.send(tap)
        return tap.number

    def detach(self, number: int) -> None:
        del self._taps[number]
        for channel in self._channels:
            channel.send(DetachTap(number))

    def joined(self, channel: MessageChannel) -> None:
        """A process is ready."""
        self._channels.add(channel)
        for tap, _ in self._taps.values():
            channel.send(tap)

    def left(self, channel: MessageChannel) -> None:
        """A process has ended, ready or not."""
        self._channels.discard(channel)

    def received(self, message: Tapped) -> None:
        if message.number in self._taps:
            _, show = self._taps[message.number]
            show(message)
