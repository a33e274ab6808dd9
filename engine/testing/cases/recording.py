"""Records what crosses the links of a run, and what leaves it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from engine.documents import Batch, Item, copied
from engine.plan.plan import Plan, Port
from engine.run.report import Report
from engine.run.secrets import Secrets


class Recorder:
    """An observer that keeps every item by the view that it left, and by the view it reached.

    `take` gets what leaves the pipeline. `reports` are those of all runs that it has observed.
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, Sequence[Item]]) -> None:
        self.left: dict[Port, list[Item]] = {}
        self.reached: dict[Port, list[Item]] = {}
        self.arrivals: dict[str, list[Item]] = {}
        """All items that reached a snap, by its label."""
        self.take: Callable[[Port, Batch], None] | None = None
        self.reports: list[Report] = []
        self.secrets = Secrets()
        self._targets = {link.source: link.target for link in plan.links}
        self._lock = threading.Lock()
        ports = {str(port): port for port in plan.open_inputs}
        for name, items in inputs.items():
            self._arrive(ports[name], copied(list(items)))

    def started(self, report: Report, secrets: Secrets) -> None:
        self.reports.append(report)
        self.secrets = secrets

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """Lines of snaps are not compared."""

    def crossed(self, port: Port, batch: Batch) -> None:
        items = copied(batch.items)
        with self._lock:
            self.left.setdefault(port, []).extend(items)
            target = self._targets.get(port)
            if target is not None:
                self._arrive(target, items)

    def output(self, port: Port, batch: Batch) -> None:
        if self.take is not None:
            self.take(port, batch)

    def finished(self, report: Report) -> None:
        """The counts are those of the run's report."""

    def _arrive(self, port: Port, items: list[Item]) -> None:
        self.reached.setdefault(port, []).extend(items)
        self.arrivals.setdefault(port.label, []).extend(items)
