"""Spans of a process: one for each snap of a sampled request, whatever is still going on."""

from __future__ import annotations

import pytest

from engine.documents import Batch
from engine.request_tags import RequestTag
from engine.run.tracing import MAX_CALLS, RUN, Tracer, headers_of, is_on

TRACE, SPAN = "1" * 32, "2" * 16
SAMPLED = RequestTag("a", f"00-{TRACE}-{SPAN}-01", "k=v")
UNSAMPLED = RequestTag("a", f"00-{TRACE}-{SPAN}-00")


def test_only_sampled_requests_leave_spans() -> None:
    tracer = Tracer()
    tracer.begin(1, UNSAMPLED)
    tracer.begin(2, SAMPLED)
    batch = Batch([{}, {}], [frozenset((1,)), frozenset((2,))])
    assert tracer.sampled(batch) == {2}
    assert tracer.sampled(Batch([{}])) == set()
    assert tracer.end(1) == []


def test_a_snap_has_one_span_for_all_its_calls() -> None:
    tracer = Tracer()
    tracer.begin(1, SAMPLED)
    for _ in range(3):
        start = tracer.enter("map", "Mapper", (1,))
        tracer.leave("map", (1,), start, 0.5)
    tracer.failed("map", (1,), "it failed")
    (span,) = tracer.end(1)
    assert (span.name, span.trace, span.parent, span.state) == ("snap map", TRACE, SPAN, "k=v")
    assert (span.facts["snapline.calls"], span.facts["snapline.seconds"]) == (3, 1.5)
    assert span.error == "it failed"
    assert tracer.end(1) == []


def test_what_goes_on_ends_with_the_request() -> None:
    tracer = Tracer(single=True)
    tracer.begin(RUN, SAMPLED)
    tracer.enter("ask", "RESTGet", (RUN,))
    call = tracer.call("GET example.org", "ask", ())
    assert call is not None
    snap, called = tracer.end(RUN)
    assert called.parent == snap.span
    assert call.headers == (("traceparent", f"00-{TRACE}-{called.span}-01"), ("tracestate", "k=v"))
    assert snap.end >= snap.start
    assert called.end >= called.start
    call.end("too late")
    assert tracer.call("GET example.org", "ask", ()) is None


def test_calls_without_end_do_not_fill_the_memory() -> None:
    tracer = Tracer(single=True)
    tracer.begin(RUN, SAMPLED)
    for _ in range(MAX_CALLS + 10):
        tracer.call("GET example.org", "ask", ())
    assert len(tracer.end(RUN)) == MAX_CALLS


def test_what_belongs_to_no_trace_sends_no_headers() -> None:
    assert headers_of(RequestTag("a")) == ()
    assert headers_of(UNSAMPLED) == (("traceparent", UNSAMPLED.traceparent),)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318", True),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/v1/traces", True),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", " ", False),
        ("OTEL_SERVICE_NAME", "me", False),
    ],
)
def test_an_endpoint_turns_traces_on(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert is_on() is expected
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not is_on()
