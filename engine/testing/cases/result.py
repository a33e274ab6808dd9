"""The outcome of a case, as data that crosses processes."""

from __future__ import annotations

import msgspec

from engine.locations import Location
from engine.testing.cases.coverage import Point

PIPELINE_HAS_ERRORS = "the pipeline has errors"


class Failure(msgspec.Struct, frozen=True):
    """An expectation that was not met: its place in the test file, and what was different."""

    where: Location
    message: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.where}  {self.message}", *(f"    {line}" for line in self.details)]
        return "\n".join(lines)


class CaseResult(msgspec.Struct, frozen=True):
    """How a case ended; it has passed if there are no `failures`.

    `notes` are for the user even if it passed, such as a snapshot that was written. `hits` is the
    coverage of the pipeline, if it was measured.
    """

    path: str
    name: str
    where: Location
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    pipeline: str = ""
    hits: tuple[tuple[Point, int], ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures
