"""Spans as those of OpenTelemetry's SDK, with ids and times that are known already.

The only module that imports the SDK; it is imported only where traces are sent.
"""

from __future__ import annotations

import logging
import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from engine.run.spans import SpanData

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
}


class OtelSpans:
    """Exports over OTLP/HTTP; the SDK reads OTEL_EXPORTER_OTLP_* and OTEL_RESOURCE_ATTRIBUTES."""

    def __init__(self) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say it, and once
        self._ids = _KnownIds()
        self._ended = _Ended()
        self._exporter = OTLPSpanExporter()
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create(_name_of_service()),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("snapline")

    @property
    def endpoint(self) -> str:
        """Where the spans are sent, as far as the environment says, without a password."""
        names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
        found = next((os.environ[name] for name in names if os.environ.get(name)), "")
        scheme, separator, rest = found.partition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"

    def export(self, spans: list[SpanData]) -> str:
        """Send them; what went wrong, if something did. May take as long as the SDK's time-out."""
        try:
            for span in spans:
                self._make(span)
            ended, self._ended.spans = self._ended.spans, []
            result = self._exporter.export(ended)
        except Exception as error:  # noqa: BLE001  # whatever it is, the spans are lost
            self._ended.spans = []
            return f"{type(error).__name__}: {error}"
        return "" if result is SpanExportResult.SUCCESS else "the collector did not take them"

    def _make(self, data: SpanData) -> None:
        trace, state = int(data.trace, 16), _state(data.state)
        self._ids.trace, self._ids.span = trace, int(data.span, 16)
        context = set_span_in_context(
            NonRecordingSpan(
                SpanContext(
                    trace,
                    int(data.parent or "0", 16),
                    is_remote=data.kind == "server",
                    trace_flags=TraceFlags(TraceFlags.SAMPLED),
                    trace_state=state,
                )
            )
        )
        span = self._tracer.start_span(
            data.name, context, _KINDS[data.kind], data.facts, start_time=data.start
        )
        if data.error:
            span.set_status(Status(StatusCode.ERROR, data.error))
        span.end(data.end)


class _KnownIds(IdGenerator):
    """Gives the ids of the span that is made next."""

    def __init__(self) -> None:
        self.trace = self.span = 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Ended(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def _state(text: str) -> TraceState | None:
    return TraceState.from_header([text]) if text else None


def _name_of_service() -> dict[str, str]:
    """The operator's name for the service counts more than ours."""
    attributes = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if os.environ.get("OTEL_SERVICE_NAME") or f"{SERVICE_NAME}=" in attributes:
        return {}
    return {SERVICE_NAME: "snapline"}
