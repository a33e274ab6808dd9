"""Runs pipelines with snaps that a test defines, through the public API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import api
from engine.documents import Batch
from engine.errors import EngineError
from engine.plan.plan import Port
from engine.registry import Registry, discover
from engine.run.report import Report
from engine.run.taps import Taps


class Collecting:
    """An observer that records the outputs of the pipeline, and does not watch the views."""

    def __init__(self) -> None:
        self.outputs: dict[str, list[Any]] = {}

    def started(self, report: object, secrets: object) -> None: ...
    def show(self, label: str, text: str, request_id: str = "") -> None: ...
    def finished(self, report: object) -> None: ...

    def output(self, port: Port, batch: Batch) -> None:
        self.outputs.setdefault(str(port), []).extend(batch.items)


class Watching(Collecting):
    """An observer that also records the batches at each view."""

    def __init__(self) -> None:
        super().__init__()
        self.crossings: dict[str, list[Any]] = {}

    def crossed(self, port: Port, batch: Batch) -> None:
        self.crossings.setdefault(str(port), []).extend(batch.items)


def registry_with(*snaps: type[Any]) -> Registry:
    known = discover()
    return Registry({**{name: known[name] for name in known}, **{s.__name__: s for s in snaps}})


def run(
    folder: Path,
    text: str,
    *snaps: type[Any],
    inputs: Mapping[str, Sequence[Any]] | None = None,
    observer: Any = None,
    taps: Taps | None = None,
) -> tuple[Report, EngineError | None, Any]:
    """The report, the error if the pipeline failed, and the observer."""
    file = folder / "pipeline.yaml"
    file.write_text(text)
    observer = observer or Watching()
    report, failure = asyncio.run(
        api.start(file, registry_with(*snaps), inputs=inputs, observer=observer, taps=taps)
    )
    return report, failure, observer
