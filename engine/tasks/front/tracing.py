"""The traces of requests: which are recorded, and the spans that the front adds.

Recording costs something only for requests that are sampled. Spans are made afterwards, from times
that were taken anyway, and handed over as plain data: the front never waits for a collector.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time_ns
from typing import Literal

import msgspec

from engine.request_tags import RequestTag, new_id, traceparent
from engine.run.spans import Fact, SpanData
from engine.tasks.front.head import Head

_HIGHEST = 1 << 64
_TRACE = 32


class Sampling(msgspec.Struct, frozen=True):
    """`heeds_parent`: what the caller has decided counts; `ratio` is for all others."""

    ratio: float
    heeds_parent: bool = True

    def takes(self, tag: RequestTag, trace: str) -> bool:
        """As the samplers of OpenTelemetry do, so that all servers choose the same traces."""
        if self.heeds_parent and tag.traceparent:
            return tag.is_sampled
        return int(trace[16:], 16) < self.ratio * _HIGHEST


class AnsweredRequest(msgspec.Struct, frozen=True, gc=False):
    """What is known of a request when it is over; times are those of `perf_counter`.

    `accepted` and `given` are 0 if it was not accepted, or given to no process.
    """

    head: Head
    task: str
    status: int
    outcome: str
    started: float
    ended: float
    accepted: float = 0.0
    given: float = 0.0


class Tracing:
    """`send` takes the spans of the requests that are recorded."""

    def __init__(self, sampling: Sampling, send: Callable[[list[SpanData]], None]) -> None:
        self.send = send
        self._sampling = sampling

    def begin(self, tag: RequestTag) -> RequestTag:
        """The tag of a request that is traced from here on: its span is the parent of others."""
        trace = tag.trace or (tag.id if _is_trace(tag.id) else new_id(128))
        sampled = self._sampling.takes(tag, trace)
        parent = traceparent(trace, new_id(64), sampled=sampled)
        return RequestTag(tag.id, parent, tag.tracestate)

    def end(self, tag: RequestTag, request: AnsweredRequest) -> None:
        """A request that is recorded, with that tag of `begin`, is over."""
        self.send(_spans(tag, request))


def _spans(tag: RequestTag, request: AnsweredRequest) -> list[SpanData]:
    epoch = time_ns() - int(perf_counter() * 1e9)

    def made(
        name: str, span: str, parent: str, times: tuple[float, float], **more: object
    ) -> SpanData:
        start, end = (epoch + int(each * 1e9) for each in times)
        return SpanData(name, tag.trace, span, parent, start, end, state=tag.tracestate, **more)  # type: ignore[arg-type]

    head, status = request.head, request.status
    facts: dict[str, Fact] = {
        "http.request.method": head.method,
        "url.path": head.raw_path,
        "http.response.status_code": status,
        "client.address": head.client.rpartition(":")[0],
        "snapline.task": request.task,
        "snapline.outcome": request.outcome,
        "snapline.request_id": tag.id,
    }
    kind: Literal["server"] = "server"
    spans = [
        made(
            f"{head.method} /tasks/{request.task}",
            tag.span,
            head.tag.span,
            (request.started, request.ended),
            kind=kind,
            facts=facts,
            error=f"status {status}" if status >= 500 else "",
        )
    ]
    if request.accepted:
        waited = request.accepted, request.given or request.ended
        spans.append(made("queue", new_id(64), tag.span, waited))
    return spans


def _is_trace(text: str) -> bool:
    """Whether the id can be that of a trace; the made ones can."""
    if len(text) != _TRACE or not text.isalnum() or text.lower() != text:
        return False
    try:
        return int(text, 16) > 0
    except ValueError:
        return False
