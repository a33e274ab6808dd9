"""Sends spans to a collector, with the SDK of OpenTelemetry, in a thread of its own.

What waits is bounded. A collector that does not answer costs spans, and nothing else: no request
waits for it, and the shutdown at most CLOSE_SECONDS.
"""

from __future__ import annotations

import logging
import math
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError
from engine.run import tracing
from engine.run.spans import SpanData
from engine.tasks.front.tracing import Sampling

if TYPE_CHECKING:
    from engine.tasks.server.otel_spans import OtelSpans

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Spans that may wait to be sent."""

BATCH = 512
INTERVAL_SECONDS = 1.0
CLOSE_SECONDS = 1.0
DEFAULT_RATIO = 0.01
"""The share of requests that are traced if neither the caller nor the operator says."""

_RATIOS = {"always_on": 1.0, "always_off": 0.0}


def sampling_of(environment: Mapping[str, str]) -> Sampling:
    """What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say. Raises ConfigurationError."""
    name = environment.get("OTEL_TRACES_SAMPLER", "").strip() or "parentbased_traceidratio"
    kind = name.removeprefix("parentbased_")
    if kind in _RATIOS:
        return Sampling(_RATIOS[kind], heeds_parent=kind != name)
    if kind != "traceidratio":
        raise ConfigurationError(
            f"OTEL_TRACES_SAMPLER is {name!r}, which is not supported; use always_on, always_off, "
            "traceidratio, or one of them after parentbased_"
        )
    given = environment.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
    try:
        ratio = float(given or DEFAULT_RATIO)
    except ValueError:
        ratio = math.nan
    if not 0 <= ratio <= 1:
        raise ConfigurationError(
            f"OTEL_TRACES_SAMPLER_ARG is {given!r}; use a number from 0 to 1, such as 0.1"
        )
    return Sampling(ratio, heeds_parent=kind != name)


def open_export() -> TraceExport | None:
    """Sends spans where the environment says; None if it says nowhere.

    A missing extra is only reported: the variable may be meant for other programs too.
    """
    if not tracing.is_on():
        return None
    sampling = sampling_of(os.environ)
    try:
        from engine.tasks.server.otel_spans import OtelSpans
    except ImportError as error:
        log.warning(
            "traces are not sent: OTEL_EXPORTER_OTLP_ENDPOINT is set, but %s is missing; "
            "pip install 'snapline[otel]', or unset the variable",
            error.name,
        )
        return None
    return TraceExport(sampling, OtelSpans())


class TraceExport:
    """`dropped` counts the spans that could not be sent."""

    def __init__(self, sampling: Sampling, spans: OtelSpans) -> None:
        self.sampling = sampling
        self.dropped = 0
        self._spans = spans
        self._waiting: queue.SimpleQueue[SpanData | None] = queue.SimpleQueue()
        self._is_broken = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def send(self, spans: list[SpanData]) -> None:
        """Send these spans soon. Never waits."""
        if self._waiting.qsize() + len(spans) > MAX_WAITING:
            self.dropped += len(spans)
            return
        for span in spans:
            self._waiting.put(span)

    def close(self) -> None:
        """Send what waits, unless that takes longer than CLOSE_SECONDS."""
        self._waiting.put(None)
        if not self._is_broken:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        for batch in _batches(self._waiting.get):
            error = self._spans.export(batch)
            if error:
                self.dropped += len(batch)
                if not self._is_broken:
                    text = "cannot send traces to %s: %s; spans are dropped until it answers"
                    log.warning(text, self._spans.endpoint, error)
            elif self._is_broken:
                log.info("traces are sent again")
            self._is_broken = bool(error)


def _batches(get: Callable[..., SpanData | None]) -> Iterator[list[SpanData]]:
    """What comes within INTERVAL_SECONDS, or BATCH spans; it ends with None."""
    while (first := get()) is not None:
        batch, end = [first], time.monotonic() + INTERVAL_SECONDS
        while len(batch) < BATCH and (left := end - time.monotonic()) > 0:
            try:
                span = get(timeout=left)
            except queue.Empty:
                break
            if span is None:
                yield batch
                return
            batch.append(span)
        yield batch
