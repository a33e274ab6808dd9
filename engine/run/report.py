"""What a run did: per snap the documents in, out, dropped and failed, and the seconds it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import Problem

Status = Literal["running", "completed", "failed", "stopped"]


@dataclass(slots=True)
class SnapStatistics:
    """Counters of one snap, kept up to date while it runs. A binary stream counts as one.

    `seconds` is the time spent in the snap itself, not in waiting for others.
    """

    label: str
    type: str
    documents_in: int = 0
    documents_out: int = 0
    dropped: int = 0
    errors: int = 0
    seconds: float = 0.0
    status: Status = "running"

    def as_dict(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "snap": self.type,
            "in": self.documents_in,
            "out": self.documents_out,
            "dropped": self.dropped,
            "errors": self.errors,
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
        }
