"""The error of an answer whose status is not one of success."""

from __future__ import annotations

from engine.sdk import DataError, Document, HttpResponse, Value, excerpt

_LONGEST = 200
_ADVICE = {
    400: "compare what was sent (original, http_entity, query_parameters) with what the service "
    "wants; its answer is in entity",
    401: "check the credentials in http_headers",
    403: "check that these credentials may do that",
    404: "check service_url",
    405: "check service_url, or use the snap of another method",
    407: "put user and password into the proxy's URL, as in http://user:password@proxy:3128",
    413: "send less at a time",
    415: "set Content-Type in http_headers to what the service takes",
    429: "lower requests_in_flight, or set retry_policy to all",
}


def refusal(request: str, response: HttpResponse, entity: Value, headers: Document) -> DataError:
    """An error that brings status, entity and headers of the answer along."""
    status = response.status
    reason = f"{status} {response.reason}".rstrip()
    if entity:
        reason += f": {_shown(entity)}"
    return DataError(
        f"{request} was answered with status {status}",
        reason,
        _advice(status),
        details={"status": status, "entity": entity, "headers": headers},
    )


def _shown(entity: Value) -> str:
    if isinstance(entity, bytes):
        return f"{len(entity):,} bytes"
    if isinstance(entity, str):
        text = " ".join(entity.split())
        return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    return excerpt(entity, _LONGEST)


def _advice(status: int) -> str:
    if status in _ADVICE:
        return _ADVICE[status]
    if status >= 500:
        return "see the log of the service; set retry_policy to all if it recovers by itself"
    if status < 400:
        return "call the address in the header location, or set follow_redirects to true"
    return _ADVICE[400]
