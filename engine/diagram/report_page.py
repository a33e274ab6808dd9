"""The page of one run: graph with counts, times, errors, parameters and samples of documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from engine.diagram.counts import counts_of, with_counts
from engine.diagram.diagram import Diagram
from engine.diagram.page import document, graph_section, table, text

_STATUS = {"completed": "✓ completed", "failed": "✗ failed", "stopped": "■ stopped"}
_HEADS = ("snap", "type", "in", "out", "dropped", "errors", "seconds", "status")
_NUMBERS = (2, 3, 4, 5, 6)


class PortSamples(msgspec.Struct, frozen=True):
    """The first items that left a view, as texts; `target` is empty for an open output."""

    source: str
    target: str
    count: int
    texts: Sequence[str]


def report_page(
    diagram: Diagram,
    report: Mapping[str, Any],
    samples: Sequence[PortSamples],
    parameters: Mapping[str, str | None],
    started: datetime,
) -> str:
    """A complete page. `report` is that of `engine run --report`, without secrets."""
    counted = with_counts(diagram, counts_of(dict(report)))
    sections = [
        *graph_section(counted, list(_summary(report, started))),
        *_snaps(report),
        *_parameters(parameters),
        *_samples(samples),
    ]
    return document(f"{diagram.name}: {report['status']}", sections)


def _summary(report: Mapping[str, Any], started: datetime) -> Iterator[str]:
    status = str(report["status"])
    name = "failed" if status == "failed" else "status"
    yield (
        f'<p><span class="{name}">{text(_STATUS.get(status, status))}</span> in '
        f"{report['seconds']:.2f} s · started at {started:%Y-%m-%d %H:%M:%S %Z} · "
        f"run {text(str(report['ruuid']))}</p>"
    )
    if report["failure"]:
        yield f'<pre class="failure" role="alert">{text(report["failure"])}</pre>'
    for warning in report["warnings"]:
        yield f'<pre class="warning">{text(warning)}</pre>'


def _snaps(report: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Snaps</h2>"
    rows = []
    for snap in report["snaps"]:
        counts = [f"{snap[name]:,}" for name in ("in", "out", "dropped", "errors")]
        status = text(snap["status"])
        if snap["status"] == "failed":
            status = f'<span class="failed">{status}</span>'
        seconds = f"{snap['seconds']:.3f}"
        rows.append([text(snap["label"]), text(snap["snap"]), *counts, seconds, status])
    yield from table("Snaps", _HEADS, rows, numbers=_NUMBERS)


def _parameters(parameters: Mapping[str, str | None]) -> Iterator[str]:
    if parameters:
        yield "<h2>Parameters</h2>"
        rows = [
            [text(name), "<em>none</em>" if value is None else f"<code>{text(value)}</code>"]
            for name, value in parameters.items()
        ]
        yield from table("Parameters", ("name", "value"), rows)


def _samples(samples: Sequence[PortSamples]) -> Iterator[str]:
    yield "<h2>Documents</h2>"
    for each in samples:
        way = f"{each.source} → {each.target}" if each.target else f"{each.source} → open output"
        count = f"{each.count:,}" if each.count else "nothing"
        yield f"<details{' open' if len(samples) == 1 else ''}>"
        yield f"<summary><code>{text(way)}</code> <b>{count}</b></summary>"
        if not each.count:
            yield "<p>Nothing crossed here.</p>"
        elif each.count > len(each.texts):
            yield f"<p>The first {len(each.texts)} of {each.count:,}:</p>"
        for sample in each.texts:
            yield f'<pre tabindex="0">{text(sample)}</pre>'
        yield "</details>"
