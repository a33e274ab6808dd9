"""What leaves through an open output as JSON, for those who print it."""

from __future__ import annotations

from typing import Any

from engine.errors import DataError, ExecutionError
from engine.plan.plan import Port
from engine.sdk import to_json


def encoded(port: Port, document: Any) -> bytes:
    """The document as JSON. Raises ExecutionError for what JSON cannot hold: nobody decides on a
    document that has left the pipeline, so the run fails."""
    try:
        return to_json(document)
    except DataError as error:
        raise ExecutionError(
            f"the open output '{port}' received a document that cannot be written as JSON: "
            f"{error.reason}\n  hint: {error.resolution}"
        ) from None
