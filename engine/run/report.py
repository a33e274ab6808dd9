"""What a run did: the documents that crossed each view and each link, and the seconds it took.

For every snap that has completed: in + made = out + dropped + errors + merged. A snap that gives
one document for each, or none, has made and merged nothing. `made` are documents beyond those that
came in: the copies of a Copy, the elements that a parser finds in a stream, what a generator or a
script adds. `merged` are documents that went into others, as many into the one stream of a
formatter. What leaves an output view arrives at the other end of its link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import Problem
from engine.plan.plan import PlannedLink
from engine.sdk.views import ERROR_VIEW

Status = Literal["running", "completed", "failed", "stopped"]


@dataclass(slots=True)
class SnapStatistics:
    """Counters of one snap, kept up to date while it runs. A binary stream counts as one.

    `inputs` and `outputs` count by view, the error view among the outputs. `errors` are all
    documents that failed, whether or not they went to the error view. `seconds` is the time spent
    in the snap itself, not in waiting for others.
    """

    label: str
    type: str
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    errors: int = 0
    seconds: float = 0.0
    status: Status = "running"

    @property
    def documents_in(self) -> int:
        return sum(self.inputs.values())

    @property
    def documents_out(self) -> int:
        """Documents that left through all output views but the error view."""
        return sum(self.outputs.values()) - self.outputs.get(ERROR_VIEW.name, 0)

    @property
    def surplus(self) -> int:
        """How many more documents have ended here, or left, than came in."""
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


@dataclass(slots=True)
class Report:
    """The outcome of a run. `outputs` holds what left through open outputs, if it was collected.

    `warnings` are what the check of the pipeline found doubtful.
    """

    pipeline: str
    ruuid: str
    snaps: list[SnapStatistics]
    links: tuple[PlannedLink, ...] = ()
    status: Status = "running"
    seconds: float = 0.0
    failure: str = ""
    outputs: Mapping[str, list[Any]] = field(default_factory=dict)
    warnings: Sequence[Problem] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for `--report` and for machines."""
        return {
            "pipeline": self.pipeline,
            "ruuid": self.ruuid,
            "status": self.status,
            "seconds": round(self.seconds, 6),
            "failure": self.failure,
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
