"""The statistics of a run: the documents that crossed each view and link, and the time it took.

For every snap that has completed: in + made = out + dropped + errors + merged. A snap that emits at
most one document per document has made and merged nothing. `made` are documents in addition to
those that came in: the copies of a Copy, the elements that a parser finds in a stream, the
documents of a generator, or those that a script adds. `merged` are documents that became part of
others, such as those in the stream of a formatter. What leaves an output view arrives at the other
end of its link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from engine.errors import Problem
from engine.plan.plan import PlannedLink
from engine.sdk.views import ERROR_VIEW

Status = Literal["running", "completed", "failed", "stopped"]


class SnapStatistics(msgspec.Struct):
    """Counters of one snap, updated while it runs. A binary stream counts as one.

    `inputs` and `outputs` count by view; the error view is one of the outputs. `errors` counts all
    failed documents, whether or not they went to the error view. `seconds` is the time spent in the
    snap itself, without waiting for others.
    """

    label: str
    type: str
    inputs: dict[str, int] = msgspec.field(default_factory=dict)
    outputs: dict[str, int] = msgspec.field(default_factory=dict)
    dropped: int = 0
    errors: int = 0
    seconds: float = 0.0
    status: Status = "running"

    @property
    def documents_in(self) -> int:
        return sum(self.inputs.values())

    @property
    def documents_out(self) -> int:
        """Documents that left through all output views except the error view."""
        return sum(self.outputs.values()) - self.outputs.get(ERROR_VIEW.name, 0)

    @property
    def surplus(self) -> int:
        """How many more documents left or ended here than came in."""
        return self.documents_out + self.dropped + self.errors - self.documents_in

    def as_dict(self) -> dict[str, Any]:
        surplus = self.surplus if self.status == "completed" else 0
        return {
            "label": self.label,
            "snap": self.type,
            "in": self.documents_in,
            "made": max(surplus, 0),
            "out": self.documents_out,
            "dropped": self.dropped,
            "errors": self.errors,
            "merged": max(-surplus, 0),
            "views": {"in": dict(self.inputs), "out": dict(self.outputs)},
            "seconds": round(self.seconds, 6),
            "status": self.status,
        }


class Report(msgspec.Struct):
    """The outcome of a run. `outputs` holds the items from open outputs, if they were collected.

    `warnings` come from the check of the pipeline; `parameters` are those that it captures.
    """

    pipeline: str
    ruuid: str
    snaps: list[SnapStatistics]
    links: tuple[PlannedLink, ...] = ()
    status: Status = "running"
    seconds: float = 0.0
    failure: str = ""
    outputs: Mapping[str, list[Any]] = msgspec.field(default_factory=dict)
    warnings: Sequence[Problem] = ()
    parameters: Mapping[str, str | None] = msgspec.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for `--report` and other programs."""
        return {
            "pipeline": self.pipeline,
            "ruuid": self.ruuid,
            "status": self.status,
            "seconds": round(self.seconds, 6),
            "failure": self.failure,
            "parameters": dict(self.parameters),
            "warnings": [str(warning) for warning in self.warnings],
            "snaps": [snap.as_dict() for snap in self.snaps],
            "links": self._links(),
        }

    def _links(self) -> list[dict[str, Any]]:
        """Documents at both ends of each link; they differ only if the run has not completed."""
        snaps = {snap.label: snap for snap in self.snaps}
        return [
            {
                "from": str(link.source),
                "to": str(link.target),
                "out": snaps[link.source.label].outputs.get(link.source.view, 0),
                "in": snaps[link.target.label].inputs.get(link.target.view, 0),
            }
            for link in self.links
        ]
