"""What the snaps of a run have counted, for the server."""

from __future__ import annotations

from engine.run.report import Report
from engine.tasks.wire.messages import SnapCounts


def counts_of(report: Report) -> list[SnapCounts]:
    return [
        SnapCounts(
            snap.label,
            snap.type,
            snap.documents_in,
            snap.documents_out,
            snap.dropped,
            snap.errors,
            snap.seconds,
            dict(snap.inputs),
            dict(snap.outputs),
        )
        for snap in report.snaps
    ]
