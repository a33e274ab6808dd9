"""A small collector of traces on this machine, which also plays the service that pipelines call."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACES = "/v1/traces"


class SeenSpan(NamedTuple):
    name: str
    trace: str
    span: str
    parent: str
    start: int
    end: int
    facts: dict[str, Any]
    error: str


class Collector:
    """`called` are the headers of the requests to other paths than that of traces."""

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        self.called: list[dict[str, str]] = []
        self.resources: list[dict[str, Any]] = []
        self.url = ""
        self.answers = threading.Event()
        """Cleared, it takes spans and never answers."""

        self.answers.set()

    @property
    def environment(self) -> dict[str, str]:
        """For a server that sends all its traces here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_TRACES_SAMPLER_ARG": "1"}

    def of(self, trace: str) -> dict[str, SeenSpan]:
        """The spans of a trace by name."""
        return {span.name: span for span in self.spans if span.trace == trace}

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_facts(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += map(_seen, scope.spans)


def _seen(span: Any) -> SeenSpan:
    return SeenSpan(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _facts(span.attributes),
        span.status.message,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.path == TRACES:
                collector.answers.wait()
                collector.take(body)
            self._answer(b"", "application/x-protobuf")

        def do_GET(self) -> None:
            collector.called.append({name.lower(): value for name, value in self.headers.items()})
            self._answer(json.dumps({"ok": True}).encode(), "application/json")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            with contextlib.suppress(ConnectionError):  # it has given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
