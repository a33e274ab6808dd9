"""What a request passes through: the server, the application, and the way to its task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.request_tags import RequestTag
from engine.tasks.front.head import MAX_HEAD_BYTES, Head
from engine.tasks.front.reply import Reply
from engine.tasks.wire.messages import Request, Response

Respond = Callable[[Response | Reply], None]
"""Takes the response; called once, now or later."""


class Call(Protocol):
    """One request, from its head on."""

    @property
    def tag(self) -> RequestTag: ...
    @property
    def refusal(self) -> Reply | None:
        """The response, if it does not depend on the body."""
        ...

    @property
    def limit(self) -> int:
        """Bytes that the body may have."""
        ...

    def refuse(self, reply: Reply) -> Reply:
        """The response to a body that cannot be taken, as the caller may see it."""
        ...

    def start(self, body: bytes, respond: Respond) -> None: ...
    def withdraw(self) -> None:
        """The caller has gone, and will not get its response."""
        ...

    def record(self, reply: Response | Reply, size: int) -> None:
        """The response was sent, with a body of this size."""
        ...


class Application(Protocol):
    def call(self, head: Head) -> Call: ...
    def record_unread(self, client: str, tag: RequestTag, status: int, size: int) -> None:
        """A request that could not be read was answered with this status and body size."""
        ...


class Submits(Protocol):
    """Takes requests: their task, or what stands in between."""

    def submit(self, request: Request, respond: Respond) -> Timed | None:
        """The times of the request, if it has any."""
        ...

    def withdraw(self, request: int) -> None:
        """Nobody waits for the response to this request any more."""
        ...


class Timed(Protocol):
    """When a request was accepted, and when a process got it (0 if none has): `perf_counter`."""

    @property
    def accepted(self) -> float: ...
    @property
    def given(self) -> float: ...


class RefusedCall:
    """A request whose response does not depend on its body."""

    limit = MAX_HEAD_BYTES

    def __init__(self, tag: RequestTag, refusal: Reply) -> None:
        self.tag = tag
        self.refusal = refusal

    def refuse(self, reply: Reply) -> Reply:
        return reply

    def start(self, body: bytes, respond: Respond) -> None:
        """Never called: it is refused."""

    def withdraw(self) -> None:
        """Nothing is in progress."""


class UnreadCall(RefusedCall):
    """A request that cannot be read: it is only counted."""

    def __init__(
        self, application: Application, client: str, tag: RequestTag, refusal: Reply
    ) -> None:
        super().__init__(tag, refusal)
        self._application = application
        self._client = client

    def record(self, reply: Response | Reply, size: int) -> None:
        self._application.record_unread(self._client, self.tag, reply.status, size)
