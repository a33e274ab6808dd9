"""The output of a run as an HTTP response.

Documents become a JSON array, even a single one; a binary stream becomes the body, and its header
the response's headers. The body is built piece by piece, since it may be larger than the memory.
"""

from __future__ import annotations

from typing import Any, Protocol

from engine.documents import Batch, StreamEnd, StreamStart
from engine.errors import DataError
from engine.plan.plan import Plan
from engine.sdk import to_json
from engine.tasks.wire.messages import Headers
from engine.tasks.worker.http_headers import response_headers, response_status

_OK = 200
_JSON = ("content-type", "application/json")


class Result(Protocol):
    """Status and headers are final after the first output, or at the end."""

    status: int
    headers: Headers

    def add(self, batch: Batch) -> bytes:
        """The next bytes of the body. Raises DataError if the batch cannot be encoded."""
        ...

    def end(self) -> bytes: ...


def result_of(plan: Plan, *, status_from_document: bool) -> Result:
    """For the one open output of the plan, or none."""
    if not plan.open_outputs:
        return NoOutput()
    return Streams() if plan.gives_binary(plan.open_outputs[0]) else Documents(status_from_document)


class NoOutput:
    """For a pipeline without output: the caller learns that the run has completed."""

    def __init__(self) -> None:
        self.status = _OK
        self.headers = [_JSON]

    def add(self, batch: Batch) -> bytes:
        return b""

    def end(self) -> bytes:
        return b'{"http_status_code":200}'


class Documents:
    """A JSON array of all documents."""

    def __init__(self, status_from_document: bool) -> None:
        self.status = _OK
        self.headers = [_JSON]
        self._takes_status = status_from_document
        self._begun = False

    def add(self, batch: Batch) -> bytes:
        if not self._begun and self._takes_status:
            self.status = _status_in(batch.items[0])
        separator = b"," if self._begun else b"["
        self._begun = True
        return separator + to_json(batch.items, "the result")[1:-1]

    def end(self) -> bytes:
        return b"]" if self._begun else b"[]"


class Streams:
    """The bytes of all binary streams, with the header of the first."""

    def __init__(self) -> None:
        self.status = _OK
        self.headers: Headers = []
        self._begun = False

    def add(self, batch: Batch) -> bytes:
        for item in batch.items:
            if isinstance(item, StreamStart) and not self._begun:
                self._begun = True
                self._take(item)
            elif isinstance(item, StreamEnd) and item.broken:
                raise DataError(
                    "the result is incomplete",
                    "a stream of the open output ended early",
                    "the run report names the snap that failed",
                )
        return b"".join(item for item in batch.items if isinstance(item, bytes))

    def end(self) -> bytes:
        return b""

    def _take(self, start: StreamStart) -> None:
        fields = dict(start.header)
        self.status = response_status(fields.pop("status", None))
        self.headers = response_headers(fields)


def _status_in(document: Any) -> int:
    """The status in a document if it is a whole number from 200 to 599, otherwise 200."""
    status = document.get("status")
    is_one = isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599
    return status if is_one else _OK
