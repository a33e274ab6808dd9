"""Call an HTTP service with any method: one request for each document, with pages if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    Foreign,
    HttpOptions,
    HttpResponse,
    Issue,
    Path,
    Settings,
    setting,
)
from snaps.rest.shared.entity import body_of
from snaps.rest.shared.forms import Part, multipart, url_encoded
from snaps.rest.shared.pagination import Pages, PageSettings, page_issues
from snaps.rest.shared.settings import RestSettings
from snaps.rest.shared.snap import RestSnap
from snaps.rest.shared.text import as_text

EntityKind = Literal["none", "raw", "form_data", "x_www_form_urlencoded", "binary"]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_SAFE = ("GET", "HEAD", "OPTIONS")


class FormPart(Settings):
    key: str = setting(help="The name of the field.", example="file")
    value: Evaluated[Any] | None = setting(
        default=None, help="What it holds; anything but text is sent as JSON."
    )
    file: Evaluated[str] | None = setting(
        default=None, help="A file that is sent instead.", example="= $file"
    )
    content_type: str = setting(default="", help="Its content type.", example="application/pdf")


class HTTPClientSettings(PageSettings, RestSettings):
    request_method: Evaluated[str] = setting(
        default=Evaluated(value="GET"), help=f"One of {', '.join(METHODS)}.", example="POST"
    )
    http_entity_type: EntityKind = setting(
        default="none",
        help="What is sent: nothing, `raw` (`http_entity`), `form_data` (`multipart_form`), "
        "`x_www_form_urlencoded` (`form`) or `binary` (`binary_file`).",
    )
    http_entity: Expression = setting(
        default=Expression("$"),
        help="What `raw` sends: bytes as they are, text as text, anything else as JSON.",
        example="$order",
    )
    multipart_form: tuple[FormPart, ...] = setting(
        default=(), help="The parts of a multipart form.", example=[{"key": "f", "file": "= $file"}]
    )
    form: dict[str, Evaluated[Any]] = setting(
        default={}, help="The fields of a URL-encoded form.", example={"user": "= $name"}
    )
    binary_file: Evaluated[str] = setting(
        default=Evaluated(value=""), help="The file that `binary` sends.", example="= $file"
    )
    maximum_pages: int | None = setting(
        default=None, help="The most pages for one document; by default, all that there are."
    )
    extract_entity: bool = setting(
        default=False,
        help="Whether the output document is the entity itself, or what is at "
        "`extract_entity_path`; of a list, each element is a document.",
    )
    extract_entity_path: Path = setting(
        default=Path("$.entity"), help="What to extract.", example="$.entity.items"
    )
    retry_busy: bool = setting(
        default=True,
        help="Whether a request that is answered with status 429 is tried again, after the time in "
        "`Retry-After` if given.",
    )
    error_responses_to_error_view: bool = setting(
        default=True,
        help="Whether a response whose status is not a success fails the document; otherwise it is "
        "an output like any other.",
    )


class HTTPClient(RestSnap[HTTPClientSettings]):
    since = "0.4.0"
    about = """
    The response is the document itself: `statusLine`, `entity` and `headers` at the root, and
    `original` if there was an input document.

    With `has_next` and `next_url`, the pages after the first are requested with GET, one after the
    other; each is a document of its own. Credentials are not sent to another server.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-apisuite-httpclient",
        "HTTP Client",
        version=1,
        settings={
            "httpMethod": "request_method",
            "uri": "service_url",
            "queryParam[].paramKeyProp": "query_parameters[].key",
            "queryParam[].paramValProp": "query_parameters[].value",
            "header[].headerNameProp": "http_headers[].key",
            "header[].headerValProp": "http_headers[].value",
            "httpEntity.entityType": "http_entity_type",
            "httpEntity.rawEntity": "http_entity",
            "httpEntity.multipartForm": "multipart_form",
            "httpEntity.multipartForm[].partKey": "multipart_form[].key",
            "httpEntity.multipartForm[].partValue": "multipart_form[].value",
            "httpEntity.multipartForm[].partContentType": "multipart_form[].content_type",
            "httpEntity.urlEncodedForm[].urlEncodedKey": "form[].key",
            "httpEntity.urlEncodedForm[].urlEncodedValue": "form[].value",
            "httpEntity.binaryFile": "binary_file",
            "pagination.hasNext": "has_next",
            "pagination.nextUrl": "next_url",
            "pagination.maxPage": "maximum_pages",
            "pagination.paginationInterval": "pagination_interval",
            "clientProperties.connection.connTimeout": "connection_timeout",
            "clientProperties.connection.readTimeout": "read_timeout",
            "clientProperties.connection.trustAllCerts": "trust_all_certificates",
            "clientProperties.retry.maxRetry": "maximum_request_attempts",
            "clientProperties.retry.retryInterval": "retry_request_interval",
            "clientProperties.retry.retryCondition": "retry_policy",
            "clientProperties.retry.autoRetry429": "retry_busy",
            "clientProperties.redirects.followRedirection": "follow_redirects",
            "clientProperties.outputProps.responseType": "response_entity_type",
            "clientProperties.outputProps.extractEntity": "extract_entity",
            "clientProperties.outputProps.extractEntityPath": "extract_entity_path",
            "clientProperties.outputProps.errorRespToErrorview": "error_responses_to_error_view",
        },
        choices={
            "httpEntity.entityType": {
                "none": "none",
                "raw": "raw",
                "form-data": "form_data",
                "x-www-form-urlencoded": "x_www_form_urlencoded",
                "binary": "binary",
            },
            "clientProperties.retry.retryCondition": {
                "Connection Errors": "connection_errors",
                "All Errors": "all",
            },
            "clientProperties.outputProps.responseType": {
                "JSON": "default",
                "DEFAULT": "default",
                "TEXT": "text",
                "BINARY": "binary",
            },
        },
        ignored=(
            "clientProperties.connection.cookiePolicy",
            "clientProperties.connection.diskStagingProp",
            "clientProperties.redirects.allowCircularRedirect",
            "clientProperties.redirects.allowRelativeRedirect",
            "clientProperties.redirects.maxRedirect",
            "clientProperties.retry.useRetryAfterHeader",
            "httpEntity.multipartSubtype",
            "enableDebug",
            "formEncodeSpace",
        ),
        defaults={"httpEntity.multipartForm[].partType": "Text"},
        unsupported={
            "httpEntity.multipartForm[].partType": "files in a form (set `file` of the part)",
            "clientProperties.outputProps.includeCookies": "cookies in the output",
            "clientProperties.redirects.followOriginalMethod": "redirects with the same method",
            "pagination.overrideURI": "pages with headers and parameters of their own",
            "pagination.reuseParamsForPagination": "pages with the parameters of the first",
            "preventURLEncoding": "addresses that are sent as they are",
        },
        views={"outputResponse": "output"},
    )
    examples = (
        Example(
            "an order is sent, and the response's entity is the document",
            settings={
                "request_method": "POST",
                "service_url": "https://api.example.com/orders",
                "http_entity_type": "raw",
                "http_entity": "{id: $id}",
                "extract_entity": True,
            },
            given=[{"id": 7}],
            answers={
                "POST https://api.example.com/orders": HttpResponse(
                    201, "Created", (("Content-Type", "application/json"),), b'{"order": 7}'
                )
            },
            expect=[{"order": 7}],
        ),
        Example(
            "every page is a document, and every item of it one of its own",
            settings={
                "service_url": "https://api.example.com/items",
                "has_next": "$entity.next != null",
                "next_url": "$entity.next",
                "extract_entity": True,
                "extract_entity_path": "$.entity.items",
            },
            given=[{}],
            answers={
                "GET https://api.example.com/items": HttpResponse(
                    200,
                    "OK",
                    (("Content-Type", "application/json"),),
                    b'{"items": [{"n": 1}, {"n": 2}], "next": "?page=2"}',
                ),
                "GET https://api.example.com/items?page=2": HttpResponse(
                    200,
                    "OK",
                    (("Content-Type", "application/json"),),
                    b'{"items": [{"n": 3}], "next": null}',
                ),
            },
            expect=[{"n": 1}, {"n": 2}, {"n": 3}],
        ),
    )
    writes = True
    would = "send {items} to {service_url}"
    replayable = False

    @classmethod
    def writes_for(cls, settings: HTTPClientSettings) -> bool:
        method = settings.request_method
        return method.expression is not None or str(method.value).upper() not in _SAFE

    @classmethod
    def check(cls, settings: HTTPClientSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from page_issues(settings)
        method = settings.request_method
        if method.expression is None and str(method.value).upper() not in METHODS:
            hint = f"use one of {', '.join(METHODS)}"
            yield Issue(("request_method",), f"{method.value!r} is not a method", hint)
        if settings.maximum_pages is not None and settings.maximum_pages < 1:
            yield Issue(("maximum_pages",), "maximum_pages must be at least 1")
        for place, part in enumerate(settings.multipart_form):
            if (part.value is None) == (part.file is None):
                message = f"the part {part.key!r} needs either value or file"
                yield Issue(("multipart_form", place), message)
        needed = {"form_data": "multipart_form", "x_www_form_urlencoded": "form"}
        name = needed.get(settings.http_entity_type, "")
        if name and not getattr(settings, name):
            message = f"{settings.http_entity_type!r} sends {name!r}, which is empty"
            yield Issue(("http_entity_type",), message, f"add {name}")

    def open(self) -> None:
        self._entity = self.context.function(self.settings.http_entity)
        self._extract = self.context.path(self.settings.extract_entity_path)
        super().open()

    def options(self) -> HttpOptions:
        return msgspec.structs.replace(super().options(), retry_busy=self.settings.retry_busy)

    def pages(self) -> Pages:
        return Pages(self.context, self.settings, self.settings.maximum_pages)

    def method_for(self, document: Document) -> str:
        method = str(self.context.value(self.settings.request_method, document)).upper()
        if method not in METHODS:
            raise DataError(
                "the request has no valid method",
                f"request_method is {method!r}",
                f"use one of {', '.join(METHODS)}",
            )
        return method

    def body(self, document: Document, content_type: str) -> tuple[bytes | None, str]:
        settings = self.settings
        match settings.http_entity_type:
            case "raw":
                return body_of(self._entity(document), content_type)
            case "form_data":
                return multipart(self._parts(document))
            case "x_www_form_urlencoded":
                fields = [
                    (name, as_text(self.context.value(value, document), f"the field {name!r}"))
                    for name, value in settings.form.items()
                ]
                return url_encoded(fields), content_type or "application/x-www-form-urlencoded"
            case "binary":
                content, _ = self._file(settings.binary_file, document)
                return content, content_type or "application/octet-stream"
            case _:
                return None, content_type

    def takes_failures(self) -> bool:
        return not self.settings.error_responses_to_error_view

    def output(self, answer: Document, document: Document) -> Document:
        return {**answer, "original": document}

    def outputs(self, page: Document, document: Document) -> Iterable[Document]:
        if not self.settings.extract_entity:
            return (page,)
        found = self._extract.get(page)
        items = found if isinstance(found, list) else [found]
        if wrong := [item for item in items if not isinstance(item, dict)]:
            raise DataError(
                "the entity is not a document",
                f"at {self.settings.extract_entity_path.text!r} there is a "
                f"{type(wrong[0]).__name__}, but a document must be a map",
                "set extract_entity to false, or correct extract_entity_path",
            )
        return items

    def _parts(self, document: Document) -> Iterator[Part]:
        for part in self.settings.multipart_form:
            if part.file is not None:
                content, name = self._file(part.file, document)
                yield Part(part.key, content, part.content_type, name)
            elif part.value is not None:
                value = self.context.value(part.value, document)
                text = as_text(value, f"the part {part.key!r}")
                yield Part(part.key, text.encode(), part.content_type)

    def _file(self, setting: Evaluated[str], document: Document) -> tuple[bytes, str]:
        """The content of a file that is sent, and its name without folders."""
        name = self.context.file(setting, document)
        path = PurePosixPath(unquote(urlsplit(name.text).path))
        return b"".join(self.context.files.read(name)), path.name or "file"
