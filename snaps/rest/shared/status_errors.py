"""The fields of a response in error documents, and the error for a failure status."""

from __future__ import annotations

from engine.sdk import DataError, Document, HttpResponse, Value, excerpt
from snaps.rest.shared.entity import EntityType, entity_of_error, text_of

_MAX_EXCERPT = 200
_ADVICE = {
    400: "compare what was sent (original, http_entity, query_parameters) with what the service "
    "expects; its response is in entity",
    401: "check the account, or the credentials in http_headers",
    403: "check what these credentials are allowed to do",
    404: "check service_url",
    405: "check service_url, or use the snap for another method",
    407: "put user and password into the proxy's URL, as in http://user:password@proxy:3128",
    413: "send less data per request",
    415: "set Content-Type in http_headers to what the service accepts",
    429: "lower requests_in_flight, or set retry_policy to all",
}


def details_of(response: HttpResponse, kind: EntityType, headers: Document) -> Document:
    """The fields of the response in an error document.

    Platform pipelines read `statusCode` and `error_entity`, which is always text.
    """
    return {
        "status": response.status,
        "statusCode": response.status,
        "entity": entity_of_error(response, kind),
        "error_entity": text_of(response),
        "headers": headers,
    }


def status_error(request: str, response: HttpResponse, details: Document) -> DataError:
    """The error for a response whose status is not a success."""
    status, entity = response.status, details["entity"]
    reason = f"{status} {response.reason}".rstrip()
    if response.coding_error:
        reason += f"; its entity cannot be decompressed: {response.coding_error}"
    elif entity:
        reason += f": {_shown(entity)}"
    return DataError(
        f"{request} was answered with status {status}", reason, _hint(status), details=details
    )


def _shown(entity: Value) -> str:
    if isinstance(entity, bytes):
        return f"{len(entity):,} bytes"
    if isinstance(entity, str):
        text = " ".join(entity.split())
        return f"{text[:_MAX_EXCERPT]}…" if len(text) > _MAX_EXCERPT else text
    return excerpt(entity, _MAX_EXCERPT)


def _hint(status: int) -> str:
    if status in _ADVICE:
        return _ADVICE[status]
    if status >= 500:
        return "check the service's log; set retry_policy to all if the problem is temporary"
    if status < 400:
        return "use the address in the location header, or set follow_redirects to true"
    return _ADVICE[400]
