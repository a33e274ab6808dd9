"""Requests with an idempotency key: one that is sent again gets the response to the first.

The header `Idempotency-Key` names what its caller wants done once. While the first request with a
key is in progress, others wait for its response; afterwards they get it from here. The work goes on
if its caller leaves, since that caller will ask again with the same key.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from engine.tasks.front.calls import Respond, Submits, Timed
from engine.tasks.front.reply import Reply, close_unread, error_reply
from engine.tasks.wire.messages import Request, Response, values_of

KEPT_SECONDS = 24 * 3600.0
"""How long a response is kept for the case that its request is sent again."""

MAX_KEYS = 10_000
MAX_KEPT_BYTES = 64 * 1024 * 1024
"""Limits over all tasks; beyond them, the oldest responses are forgotten."""

Place = tuple[str, str, str]
"""Task, caller and key."""

_KEY = re.compile(r'"([\x20\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_KEY_RULE = "send one header with up to 255 ASCII characters, such as a UUID"
_READ_ONLY = ("GET", "HEAD", "OPTIONS")


def key_of(method: str, values: list[str]) -> str | Reply | None:
    """The key in the values of the header; None if there is none, a refusal if it is not valid.

    What only reads may be repeated anyway, so a key means nothing there.
    """
    if not values or method in _READ_ONLY:
        return None
    found = _KEY.fullmatch(values[0].strip()) if len(values) == 1 else None
    if found is None:
        what = f"{len(values)} keys" if len(values) > 1 else f"{values[0]!r:.80}"
        return error_reply(400, "the Idempotency-Key is not valid", f"got {what}", _KEY_RULE)
    return found[1] or found[2]


class _First:
    """The first request with a key, and who waits for its response."""

    def __init__(self, fingerprint: bytes) -> None:
        self.fingerprint = fingerprint
        self.waiting: dict[int, Respond] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def wait(self, request: Request, respond: Respond) -> None:
        """Let a repeat wait for the response, but no longer than its caller does."""
        self.waiting[request.id] = respond
        patience = request.deadline - time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers[request.id] = loop.call_later(patience, self._give_up, request.id)

    def take(self, number: int) -> Respond:
        """Who waits, once; nobody if its caller has gone."""
        if timer := self._timers.pop(number, None):
            timer.cancel()
        return self.waiting.pop(number, _discard)

    def _give_up(self, number: int) -> None:
        self.take(number)(_too_late())


class _Kept(msgspec.Struct, frozen=True):
    fingerprint: bytes
    reply: Response | Reply
    expires: float

    @property
    def size(self) -> int:
        """Bytes; headers count too, since a pipeline may send back those of its caller."""
        body = self.reply.body if isinstance(self.reply.body, bytes) else b""
        return len(body) + sum([len(name) + len(value) for name, value in self.reply.headers])


class Repeats:
    """The keys of all callers: those in progress, and those whose responses are kept."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: dict[Place, _First] = {}
        self._kept: OrderedDict[Place, _Kept] = OrderedDict()
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._open) + len(self._kept)

    def waiting(self, task: str, caller: str, key: str) -> list[int]:
        """The requests that wait for the response to the first one with a key."""
        first = self._open.get((task, caller, key))
        return [] if first is None else list(first.waiting)

    def of(self, inner: Submits, place: Place) -> Submits:
        """Passes a request on, unless one with the same key came before."""
        return _Repeatable(self, inner, place)

    def submit(
        self, inner: Submits, place: Place, request: Request, respond: Respond
    ) -> Timed | None:
        self._forget_old()
        fingerprint = _fingerprint(request)
        known = self._open.get(place) or self._kept.get(place)
        if known is None:
            first = self._open[place] = _First(fingerprint)
            first.waiting[request.id] = respond
            return inner.submit(request, lambda reply: self._answer(place, request.id, reply))
        if known.fingerprint != fingerprint:
            respond(_other_request())
        elif isinstance(known, _First):
            known.wait(request, respond)
        else:
            respond(_again(known.reply))
        return None

    def withdraw(self, place: Place, request: int) -> None:
        if place in self._open:
            self._open[place].take(request)

    def _answer(self, place: Place, number: int, reply: Response | Reply) -> None:
        first = self._open.pop(place)
        respond = first.take(number)
        kept = _copied(reply if isinstance(reply.body, bytes) else _not_kept())
        if reply.outcome != "refused":  # otherwise nothing was done, and the next one may try again
            entry = _Kept(first.fingerprint, kept, self._now() + KEPT_SECONDS)
            self._kept[place] = entry
            self._kept_bytes += entry.size
            self._forget_old()
        respond(reply)
        for each in list(first.waiting):
            first.take(each)(_again(kept))

    def _forget_old(self) -> None:
        now = self._now()
        while self._kept:
            place, oldest = next(iter(self._kept.items()))
            is_full = len(self._kept) > MAX_KEYS or self._kept_bytes > MAX_KEPT_BYTES
            if not is_full and oldest.expires > now:
                return
            del self._kept[place]
            self._kept_bytes -= oldest.size


class _Repeatable:
    def __init__(self, repeats: Repeats, inner: Submits, place: Place) -> None:
        self._repeats = repeats
        self._inner = inner
        self._place = place

    def submit(self, request: Request, respond: Respond) -> Timed | None:
        return self._repeats.submit(self._inner, self._place, request, respond)

    def withdraw(self, request: int) -> None:
        self._repeats.withdraw(self._place, request)


def _fingerprint(request: Request) -> bytes:
    head = request.head
    content_type = values_of(head.headers, "content-type")[:1]
    facts = (head.method, head.path, head.query, content_type)
    return hashlib.sha256(msgspec.msgpack.encode(facts) + request.body).digest()


def _copied(reply: Response | Reply) -> Response | Reply:
    """Its headers are completed for each caller."""
    return msgspec.structs.replace(reply, headers=[*reply.headers])


def _again(reply: Response | Reply) -> Response | Reply:
    headers = [*reply.headers, ("idempotent-replayed", "true")]
    return msgspec.structs.replace(reply, headers=headers)


def _discard(reply: Response | Reply) -> None:
    """Its caller has gone. A body that nobody reads must not keep its run waiting."""
    if not isinstance(reply.body, bytes):
        close_unread(reply.body)


def _other_request() -> Reply:
    return error_reply(
        422,
        "the Idempotency-Key was used for another request",
        "method, path, query, content type or body differ",
        "use a new key for each request, and send a request again unchanged",
    )


def _too_late() -> Reply:
    return error_reply(
        504,
        "the request took too long",
        "the first request with this key is still in progress",
        "send it again with the same key",
        outcome="failed",
    )


def _not_kept() -> Reply:
    return error_reply(
        409,
        "the request was done before, but its response was too large to be kept, or streamed",
        "",
        "use a new key to repeat it",
    )
