"""`engine run --html`: watches a run, and writes a page about it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.cli.display import Display
from engine.cli.outputs import readable
from engine.diagram.diagram import Diagram
from engine.diagram.report_page import PortSamples, report_page
from engine.documents import Batch, StreamStart
from engine.errors import DataError
from engine.pipeline.spec import ParameterSpec
from engine.plan.plan import Port
from engine.run.parameters import resolve_parameters
from engine.run.report import Report
from engine.run.secrets import MASK, Secrets

_MOST = 5
"""Documents or streams of each view that are shown."""

_LONGEST = 4_000
"""Characters of a document that are shown."""

_FIRST_BYTES = 300


class SamplingDisplay:
    """A display that keeps the first items of each view.

    It is a Watcher, so the run calls `crossed`; a display without it costs a run nothing.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._secrets = Secrets()
        self._started = datetime.now(UTC)
        self._samples: dict[Port, list[str]] = {}
        self._adding = threading.Lock()

    @property
    def report(self) -> Report | None:
        return self._display.report

    @property
    def exit_code(self) -> int:
        return self._display.exit_code

    def started(self, report: Report, secrets: Secrets) -> None:
        self._secrets = secrets
        self._started = datetime.now(UTC)
        self._display.started(report, secrets)

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._display.show(label, text)

    def output(self, port: Port, batch: Batch) -> None:
        self._display.output(port, batch)

    def finished(self, report: Report) -> None:
        self._display.finished(report)

    def line(self, text: str) -> None:
        self._display.line(text)

    def crossed(self, port: Port, batch: Batch) -> None:
        """Keep the first items as texts: the snaps may change the documents later.

        One more than is shown, so that the last stream that is shown gets its own bytes only.
        """
        samples = self._samples.get(port)
        if samples is not None and len(samples) > _MOST:
            return
        with self._adding:
            samples = self._samples.setdefault(port, [])
            for item in batch.items:
                if len(samples) > _MOST:
                    return
                self._add(samples, item)

    def _add(self, samples: list[str], item: Any) -> None:
        if isinstance(item, StreamStart):
            samples.append(f"stream {self._text(item.header)}")
        elif isinstance(item, bytes):
            if samples and samples[-1].startswith("stream ") and "\n\n" not in samples[-1]:
                shown = self._secrets.mask_start(item)[:_FIRST_BYTES]
                samples[-1] += f"\n\n{shown.decode(errors='backslashreplace')}"
        elif isinstance(item, dict):
            samples.append(_cut(self._text(item)))

    def _text(self, document: Any) -> str:
        """A document as JSON. One that JSON cannot hold must not fail the run that is watched."""
        try:
            return readable(self._secrets.mask(document))
        except DataError as error:
            return f"cannot be shown as JSON: {error.reason}"
        except RecursionError:
            return "cannot be shown as JSON: it is nested too deeply"

    def page(
        self, diagram: Diagram, declared: Sequence[ParameterSpec], given: Mapping[str, str]
    ) -> str:
        """The page of the run that has ended."""
        report = self.report
        assert report is not None  # nothing is written about a run that has not started
        values = resolve_parameters(declared, given)
        shown = {spec.name: self._shown(spec, values[spec.name]) for spec in declared}
        data = report.as_dict()  # its counts stay: a secret may be a number, such as a PIN
        texts = self._secrets.mask({key: data[key] for key in ("failure", "warnings")})
        samples = self._port_samples(report, diagram)
        return report_page(diagram, {**data, **texts}, samples, shown, self._started)

    def _shown(self, spec: ParameterSpec, value: str | None) -> str | None:
        return MASK if spec.secret else None if value is None else self._secrets.mask_text(value)

    def _port_samples(self, report: Report, diagram: Diagram) -> list[PortSamples]:
        snaps = {snap.label: snap for snap in report.snaps}
        ports = [(link.source, str(link.target)) for link in report.links]
        linked = {port for port, _ in ports}
        for snap in diagram.snaps:
            for each in snap.outputs:
                port = Port(snap.label, each.name)
                if each.is_open and snap.label in snaps and port not in linked:
                    ports.append((port, ""))
        return [
            PortSamples(
                str(port),
                target,
                snaps[port.label].outputs.get(port.view, 0),
                [self._secrets.mask_text(each) for each in self._samples.get(port, ())][:_MOST],
            )
            for port, target in ports
        ]


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({len(text):,} characters)"
