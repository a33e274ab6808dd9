"""The numbers of documents that failed: in a chunk, for a worker; in their view, for the user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.errors import EngineError, SnapFailedError
from engine.run.report import SnapStatistics

_NUMBER = re.compile(r" on document (\d+)(?: of the view '([^']*)')?")


def renumbered(
    failure: EngineError | None,
    counts: Mapping[str, SnapStatistics],
    numbers: Sequence[int] | None = None,
) -> EngineError | None:
    """A failure names the document by its number in the chunk; here, by that in its view: one of
    `numbers`, or one after those before the chunk. Its snap has failed then, too."""
    if not isinstance(failure, SnapFailedError):
        return failure
    known = counts.get(failure.label)
    if known is not None:
        known.status = "failed"
    found = _NUMBER.match(failure.at)
    if found is None or known is None:
        return failure
    view = found[2] or next(iter(known.inputs), "")
    local = int(found[1])
    number = local + known.inputs.get(view, 0) if numbers is None else numbers[local - 1]
    at = f" on document {number}{failure.at[found.end(1) :]}"
    args = (*failure.args[:7], at, *failure.args[8:])
    return SnapFailedError(*args)


def number_in(at: str) -> int:
    """The number of the document in the place of a failure; 0 if there is none."""
    found = _NUMBER.match(at)
    return int(found[1]) if found else 0
