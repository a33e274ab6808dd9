"""Bodies of requests checked against the JSON Schema of their task."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, ClassVar

from engine.errors import DataError
from engine.sdk.json_schema import schema_check
from engine.tasks.worker.refusals import BadRequest

MAX_PLACES = 10
_MAX_MESSAGE = 200


class UnfitBody(BadRequest):
    """The body is readable, but is not what the task expects."""

    error: ClassVar[str] = "the body of the request does not match the schema of the task"


class BodySchema:
    """Raises ConfigurationError if it is not a schema, or the library is missing."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._violations = schema_check(dict(schema), "the input_schema of the task")

    def check(self, *values: Any) -> None:
        """Raises UnfitBody with the places that are wrong. No value: there is no body."""
        if not values:
            raise UnfitBody("there is no body", "send JSON; /openapi.json describes it")
        try:
            found = list(islice(self._violations(values[0]), MAX_PLACES + 1))
        except DataError as error:  # a pattern that takes too long for it, say
            raise UnfitBody(error.reason) from None
        if found:
            places = [f"{path}: {_short(message)}" for path, message in found[:MAX_PLACES]]
            more = ["and more"] if len(found) > MAX_PLACES else []
            reason = "; ".join([*places, *more])
            raise UnfitBody(reason, "correct these places; /openapi.json describes the body")

    def check_request(self, document: Mapping[str, Any]) -> None:
        """The same for the document of a request."""
        self.check(*([document["content"]] if "content" in document else ()))


def schema_of(schema: Mapping[str, Any] | None) -> BodySchema | None:
    return None if schema is None else BodySchema(schema)


def _short(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"
