"""What SnapLogic calls the REST snaps and their settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.sdk import Foreign

_SETTINGS = {
    "serviceUrl": "service_url",
    "queryParams[].queryParam": "query_parameters[].key",
    "queryParams[].queryParamValue": "query_parameters[].value",
    "header[].headerKey": "http_headers[].key",
    "header[].headerValue": "http_headers[].value",
    "responseEntityType": "response_entity_type",
    "connTimeout": "connection_timeout",
    "timeout": "read_timeout",
    "retry": "maximum_request_attempts",
    "retryInterval": "retry_request_interval",
    "retryPolicy": "retry_policy",
    "followRedirects": "follow_redirects",
    "trustAllCerts": "trust_all_certificates",
    "showAllHeaders": "show_all_headers",
}
"""SnapLogic's keys for the settings of REST snaps, and ours."""

_CHOICES = {
    "retryPolicy": {"Connection errors": "connection_errors", "All errors": "all"},
}
_IGNORED = ("normalizeUri", "cookiePolicy")
_UNSUPPORTED = {
    "batchSize": "several documents in one request",
    "processArray": "documents for the elements of an array",
    "rawData": "the body of the response as it is",
}
_UPLOADS = {
    "uploadFile": "the upload of a file",
    "uploadFileName": "the upload of a file",
    "uploadFiles[].uploadFile": "the upload of files",
    "uploadFiles[].uploadFileName": "the upload of files",
}
_UPLOAD_DETAILS = (
    "uploadFileKey",
    "uploadBodyType",
    "uploadTransferRequestType",
    "mimeType",
    "uploadFiles[].uploadFileKey",
    "uploadFiles[].multiFileMimeType",
)


def rest_foreign(
    method: str,
    *,
    version: int = 1,
    settings: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    unsupported: Mapping[str, str] | None = None,
) -> Foreign:
    """SnapLogic's snap for a method, such as `Get`; the arguments add to what all methods have."""
    return Foreign(
        f"com-snaplogic-snaps-rest-{method.lower()}",
        f"REST {method}",
        version=version,
        settings={**_SETTINGS, **(settings or {})},
        choices=_CHOICES,
        ignored=(*_IGNORED, *ignored),
        unsupported={**_UNSUPPORTED, **(unsupported or {})},
    )


def entity_foreign(method: str) -> Foreign:
    """The same for a method with an entity, such as `Post`."""
    return rest_foreign(
        method,
        settings={"entity": "http_entity"},
        ignored=_UPLOAD_DETAILS,
        unsupported=_UPLOADS,
    )
