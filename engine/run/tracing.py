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


class _Request:
    __slots__ = ("calls", "snaps", "tag")

    def __init__(self, tag: RequestTag) -> None:
        self.tag = tag
        self.snaps: dict[str, _Snap] = {}
        self.calls: list[SpanData] = []


class Tracer:
    """The sampled requests in progress. A `single` one is a run of its own; otherwise documents
    carry their requests. Its methods may be called from any thread."""

    def __init__(self, *, single: bool = False) -> None:
        self._single = single
        self._open: dict[int, _Request] = {}
        self._lock = threading.Lock()

    def begin(self, number: int, tag: RequestTag) -> None:
        """A request enters; it is ignored unless it is sampled."""
        if tag.is_sampled:
            self._open[number] = _Request(tag)

    def end(self, number: int) -> list[SpanData]:
        """The request is answered; its spans."""
        if number not in self._open:
            return []
        with self._lock:
            request = self._open.pop(number)
            now = time_ns()
            snaps = [snap.data(request.tag, now) for snap in request.snaps.values()]
            return snaps + request.calls

    def sampled(self, batch: Batch) -> Collection[int]:
        """The requests of a batch that leave spans."""
        if not self._open:
            return ()
        if self._single:
            return (RUN,)
        return self.among(chain.from_iterable(batch.lineage or ()))

    def among(self, numbers: Iterable[int]) -> Collection[int]:
        """Those of these requests that leave spans."""
        if self._single:
            return (RUN,) if self._open else ()
        return {number for number in numbers if number in self._open}

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
        with self._lock:
            requests = [
                (request.tag, request.snaps[label].span if label in request.snaps else "")
                for request in self._of(self.among(numbers))
                if len(request.calls) < MAX_CALLS
            ]
        return TracedCall(self, name, requests) if requests else None

    def add(self, span: SpanData) -> None:
        """A call is over; if its request is as well, nothing shows it."""
        with self._lock:
            for request in self._open.values():
                if request.tag.trace == span.trace and len(request.calls) < MAX_CALLS:
                    request.calls.append(span)
                    return

    def _of(self, numbers: Iterable[int]) -> list[_Request]:
        found = (self._open.get(number) for number in numbers)
        return [request for request in found if request is not None]


class TracedCall:
    """A call to the outside; the one for several requests is in the traces of all of them."""

    def __init__(self, tracer: Tracer, name: str, requests: list[tuple[RequestTag, str]]) -> None:
        self._tracer = tracer
        self._name = name
        self._requests = [(tag, parent, new_id(64)) for tag, parent in requests]
        self._start = time_ns()
        tag, _, span = self._requests[0]
        self.headers = headers_of(tag, span)

    def end(self, error: str = "", *, status: int = 0) -> None:
        facts: dict[str, Fact] = {"http.response.status_code": status} if status else {}
        requests, self._requests = self._requests, []
        for tag, parent, span in requests:
            self._tracer.add(
                SpanData(
                    self._name,
                    tag.trace,
                    span,
                    parent or tag.span,
                    self._start,
                    time_ns(),
                    "client",
                    facts,
                    error,
                    tag.tracestate,
                )
            )


def headers_of(tag: RequestTag, span: str = "") -> tuple[tuple[str, str], ...]:
    """What a request to another server carries, as a child of the span, or of the tag's."""
    if not tag.traceparent:
        return ()
    parent = traceparent(tag.trace, span, sampled=True) if span else tag.traceparent
    state = (("tracestate", tag.tracestate),) if tag.tracestate else ()
    return (("traceparent", parent), *state)
