"""The spans of the requests that a process works on: of snaps, and of their calls to the outside.

Only requests whose tag says that they are sampled leave any. A snap has one span in a request,
however often it is called; its times are taken around the calls, and put together afterwards.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable
from itertools import chain
from time import time_ns

from engine.documents import Batch
from engine.request_tags import RequestTag, new_id, traceparent
from engine.run.spans import Fact, SpanData

MAX_CALLS = 100
"""Calls to the outside that the trace of a request shows."""

RUN = 0
"""The number of the request that a run of its own answers."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_on() -> bool:
    """Whether traces are to be sent, as the variables of OpenTelemetry say."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return any(os.environ.get(name, "").strip() for name in _ENDPOINTS)


class _Snap:
    """What a snap has done for a request."""

    __slots__ = ("calls", "end", "error", "label", "running", "seconds", "span", "start", "type")

    def __init__(self, label: str, kind: str, now: int) -> None:
        self.label = label
        self.type = kind
        self.span = new_id(64)
        self.start = self.end = now
        self.seconds = 0.0
        self.calls = self.running = 0
        self.error = ""

    def data(self, tag: RequestTag, now: int) -> SpanData:
        facts: dict[str, Fact] = {
            "snapline.snap": self.label,
            "snapline.snap.type": self.type,
            "snapline.calls": self.calls,
            "snapline.seconds": round(self.seconds, 6),
        }
        end = max(self.end, now) if self.running else self.end
        return SpanData(
            f"snap {self.label}",
            tag.trace,
            self.span,
            tag.span,
            self.start,
            end,
            "internal",
            facts,
            self.error,
            tag.tracestate,
        )


class _Call:
    """A call to the outside; `end` is 0 while it goes on."""

    __slots__ = ("end", "error", "name", "parent", "span", "start", "status")

    def __init__(self, name: str, parent: str, now: int) -> None:
        self.name = name
        self.parent = parent
        self.span = new_id(64)
        self.start = now
        self.end = self.status = 0
        self.error = ""

    def data(self, tag: RequestTag, now: int) -> SpanData:
        facts: dict[str, Fact] = {}
        if self.status:
            facts["http.response.status_code"] = self.status
        return SpanData(
            self.name,
            tag.trace,
            self.span,
            self.parent,
            self.start,
            self.end or now,
            "client",
            facts,
            self.error,
            tag.tracestate,
        )


class _Request:
    __slots__ = ("calls", "snaps", "tag")

    def __init__(self, tag: RequestTag) -> None:
        self.tag = tag
        self.snaps: dict[str, _Snap] = {}
        self.calls: list[_Call] = []

    def parent_in(self, label: str) -> str:
        """The span to which a call of the snap belongs."""
        return self.snaps[label].span if label in self.snaps else self.tag.span


class Tracer:
    """The sampled requests in progress. A `single` one is a run of its own; otherwise documents
    carry their requests. Its methods may be called from any thread."""

    def __init__(self, *, single: bool = False) -> None:
        self._single = single
        self.requests: dict[int, _Request] = {}
        """Those that are sampled, by number; most of the time none."""

        self._lock = threading.Lock()

    def begin(self, number: int, tag: RequestTag) -> None:
        """A request enters; it is ignored unless it is sampled."""
        if tag.is_sampled:
            self.requests[number] = _Request(tag)

    def end(self, number: int) -> list[SpanData]:
        """The request is answered; its spans. What goes on ends with it."""
        if number not in self.requests:
            return []
        with self._lock:
            request = self.requests.pop(number)
            made: list[_Snap | _Call] = [*request.snaps.values(), *request.calls]
            now = time_ns()
            return [each.data(request.tag, now) for each in made]

    def sampled(self, batch: Batch) -> Collection[int]:
        """The requests of a batch that leave spans."""
        if not self.requests:
            return ()
        if self._single:
            return (RUN,)
        return self.among(chain.from_iterable(batch.lineage or ()))

    def among(self, numbers: Iterable[int]) -> Collection[int]:
        """Those of these requests that leave spans."""
        if self._single:
            return (RUN,) if self.requests else ()
        return {number for number in numbers if number in self.requests}

    def enter(self, label: str, kind: str, numbers: Iterable[int]) -> int:
        """A call of a snap begins; returns the time."""
        now = time_ns()
        with self._lock:
            for request in self._of(numbers):
                snap = request.snaps.setdefault(label, _Snap(label, kind, now))
                snap.calls += 1
                snap.running += 1
        return now

    def resume(self, label: str, numbers: Iterable[int]) -> None:
        """The result of the last call of a snap is being read."""
        with self._lock:
            for request in self._of(numbers):
                request.snaps[label].running += 1

    def leave(self, label: str, numbers: Iterable[int], start: int, seconds: float) -> None:
        """The call that began at `start` is over; it took so many seconds of its own."""
        with self._lock:
            for request in self._of(numbers):
                snap = request.snaps[label]
                snap.running -= 1
                snap.seconds += seconds
                snap.end = max(snap.end, start + int(seconds * 1e9))

    def failed(self, label: str, numbers: Iterable[int], error: str) -> None:
        """A document failed in the snap."""
        with self._lock:
            for request in self._of(self.among(numbers)):
                if label in request.snaps:
                    request.snaps[label].error = error or "failed"

    def call(self, name: str, label: str, numbers: Iterable[int]) -> TracedCall | None:
        """A snap calls something outside for these requests; None if no trace shows it."""
        now = time_ns()
        calls: list[tuple[RequestTag, _Call]] = []
        with self._lock:
            for request in self._of(self.among(numbers)):
                if len(request.calls) < MAX_CALLS:
                    request.calls.append(_Call(name, request.parent_in(label), now))
                    calls.append((request.tag, request.calls[-1]))
        return TracedCall(calls) if calls else None

    def _of(self, numbers: Iterable[int]) -> list[_Request]:
        found = (self.requests.get(number) for number in numbers)
        return [request for request in found if request is not None]


class TracedCall:
    """A call to the outside; one for several requests is in the traces of all of them."""

    def __init__(self, calls: list[tuple[RequestTag, _Call]]) -> None:
        self._calls = [call for _, call in calls]
        tag, first = calls[0]
        self.headers = headers_of(tag, first.span)

    def end(self, error: str = "", *, status: int = 0) -> None:
        now = time_ns()
        for call in self._calls:
            call.error, call.status, call.end = error, status, now


def headers_of(tag: RequestTag, span: str = "") -> tuple[tuple[str, str], ...]:
    """What a request to another server carries, as a child of the span, or of the tag's."""
    if not tag.traceparent:
        return ()
    parent = traceparent(tag.trace, span, sampled=True) if span else tag.traceparent
    state = (("tracestate", tag.tracestate),) if tag.tracestate else ()
    return (("traceparent", parent), *state)
