"""Adds the counts of a run to a diagram, from the report that `engine run --report` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.diagram.diagram import Diagram, DrawnSnap
from engine.errors import ConfigurationError


class _Counted(msgspec.Struct):
    label: str
    dropped: int = 0
    errors: int = 0
    seconds: float = 0.0
    status: str = ""


class _Crossed(msgspec.Struct):
    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    out: int


class RunCounts(msgspec.Struct):
    """What is drawn of a report."""

    snaps: list[_Counted]
    links: list[_Crossed]


def read_counts(path: str) -> RunCounts:
    """The counts in a report. Raises ConfigurationError if the file is not a report."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=RunCounts)
    except OSError as error:
        raise ConfigurationError(f"cannot read the report '{path}': {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"'{path}' is not the report of a run: {error}; write one with 'engine run --report'"
        ) from None


def counts_of(report: dict[str, Any]) -> RunCounts:
    """The counts of a report as plain data."""
    return msgspec.convert(report, RunCounts)


def with_counts(diagram: Diagram, counts: RunCounts) -> Diagram:
    """The diagram with the number of documents at its links, and a note in its snaps.

    Raises ConfigurationError if the report is of a pipeline without any of these snaps.
    """
    snaps = {snap.label: snap for snap in counts.snaps}
    links = {(link.source, link.target): link.out for link in counts.links}
    if not any(snap.label in snaps for snap in diagram.snaps):
        raise ConfigurationError("the report is not of this pipeline: it has none of its snaps")
    return msgspec.structs.replace(
        diagram,
        snaps=tuple(_counted(snap, snaps.get(snap.label)) for snap in diagram.snaps),
        links=tuple(
            msgspec.structs.replace(link, count=links.get(diagram.ends(link)))
            for link in diagram.links
        ),
    )


def _counted(snap: DrawnSnap, counted: _Counted | None) -> DrawnSnap:
    if counted is None:
        return msgspec.structs.replace(snap, note="not in the run")
    parts = [f"{counted.seconds:.2f} s"]
    if counted.dropped:
        parts.append(f"{counted.dropped:,} dropped")
    if counted.errors:
        parts.append(f"{counted.errors:,} error{'s' * (counted.errors > 1)}")
    if counted.status not in ("completed", ""):
        parts.append(counted.status)
    is_failed = counted.status == "failed"
    return msgspec.structs.replace(snap, note=" · ".join(parts), is_failed=is_failed)
