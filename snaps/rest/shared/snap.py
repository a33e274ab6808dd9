"""What the snaps that call REST services share: one request for each document, in order."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import msgspec

from engine.sdk import (
    AddressError,
    Batch,
    DataError,
    Document,
    Evaluated,
    ExecutionError,
    HeaderError,
    HttpCall,
    HttpOptions,
    HttpRequest,
    HttpResponse,
    Issue,
    Lineage,
    Snap,
    address_of,
    header_text,
    shown_url,
)
from snaps.rest.shared.authorization import Authorization
from snaps.rest.shared.calls import TracedHttpCall, UnsentCall
from snaps.rest.shared.entity import body_of, entity_of
from snaps.rest.shared.pagination import Pages, is_same_server
from snaps.rest.shared.settings import RestEntitySettings, RestSettings, Values, number_issues
from snaps.rest.shared.status_errors import details_of, status_error
from snaps.rest.shared.text import as_text

_MAX_NOTICES = 100
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SET_BY_THE_CLIENT = ("content-length", "transfer-encoding", "connection")


S = TypeVar("S", bound=RestSettings)


class RestSnap(Snap[S], ABC):
    """One request for each document; responses keep the document's order and lineage."""

    stateful = False
    blocking = True
    reaches = "network"
    flows = True
    plain = True
    changes_input = False
    shares_output = False
    method: ClassVar[str] = ""

    @abstractmethod
    def output(self, answer: Document, document: Document) -> Document:
        """The output document for a response: `statusLine`, `entity` and `headers`."""

    def outputs(self, page: Document, document: Document) -> Iterable[Document]:
        """What leaves for an output document."""
        return (page,)

    def method_for(self, document: Document) -> str:
        """The method of the request for a document. Raises DataError."""
        return self.method

    def takes_failures(self) -> bool:
        """Whether a response whose status is not a success is an output like any other."""
        return False

    def body(self, document: Document, content_type: str) -> tuple[bytes | None, str]:
        """The body and its content type, given the configured one, if any. Raises DataError."""
        return None, content_type

    @classmethod
    def check(cls, settings: S) -> Iterable[Issue]:
        yield from number_issues(settings)
        if settings.service_url.expression is None:
            url = settings.service_url.value or ""
            try:
                address_of(url)
            except AddressError as error:
                message = f"{shown_url(url)!r}: {error}"
                yield Issue(("service_url",), message, error.resolution)
        for name in settings.http_headers:
            if problem := _header_problem(str(name)):
                yield Issue(("http_headers", name), *problem)

    def open(self) -> None:
        settings = self.settings
        self._interrupted = False
        self._pages: Pages | None = None
        self._noticed: set[str] = set()
        self._pending: deque[tuple[int, HttpRequest, HttpCall]] = deque()
        self._http = self.context.http
        self._options = self.options()
        self._authorization = Authorization(self.context, settings.account, self._options)
        # from here on, what fails can be closed
        self._fixed_url = "" if _varies(settings) else self._url({})
        self._authorization.open()
        self._pages = self.pages()

    def options(self) -> HttpOptions:
        """How requests are sent."""
        settings = self.settings
        return HttpOptions(
            connection_timeout=settings.connection_timeout,
            read_timeout=settings.read_timeout,
            attempts=settings.maximum_request_attempts,
            retry_interval=settings.retry_request_interval,
            retry_policy=settings.retry_policy,
            follow_redirects=settings.follow_redirects,
            trust_all_certificates=settings.trust_all_certificates,
            largest_response=settings.maximum_response_size,
        )

    def pages(self) -> Pages | None:
        """How to find further pages; None if there are none. Called when the snap opens."""
        return None

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        pending, collected = self._pending, self._collected(batch, "process_batch")
        try:
            for position, document in enumerate(batch.items):
                if len(pending) >= self.settings.requests_in_flight:
                    yield from self._settle(batch, collected)
                self._start(position, document, batch.lineage_of(position))
            while pending:
                yield from self._settle(batch, collected)
        finally:
            self._give_up()

    def interrupt(self) -> None:
        self._interrupted = True
        if self._pages is not None:
            self._pages.interrupt()
        self._cancel_all()

    def close(self) -> None:
        self._give_up()

    def _start(self, position: int, document: Document, lineage: Lineage) -> None:
        if self._interrupted:
            raise ExecutionError("the request was not sent because the run is ending")
        request, call = self._sent(document, lineage)
        self._pending.append((position, request, call))
        if self._interrupted:  # in the meantime
            self._cancel_all()

    def _settle(self, batch: Batch, collected: Any) -> Iterator[Mapping[str, Batch]]:
        """Take the response to the oldest request."""
        position, request, call = self._pending[0]
        document, lineage = batch.items[position], batch.lineage_of(position)
        failure: DataError | None = None
        try:
            response = call.result()
            if response.status == 401 and self._authorization.renew(document, request.headers):
                request, call = self._sent(document, lineage)
                self._pending[0] = position, request, call
                response = call.result()
            for count in itertools.count(1):
                page = self._answer(response, document, request)
                for item in self.outputs(page, document):
                    collected.add(item, lineage)
                url = self._pages and self._pages.after(page, request.url, count)
                if not url:
                    break
                if collected.count:
                    yield collected.take()
                request = self._page_request(request, url)
                call = self._http.send(request, self._notify)
                self._pending[0] = position, request, call
                if self._interrupted:
                    self._cancel_all()
                response = call.result()
        except DataError as error:
            failure = error
        self._pending.popleft()  # only now: an interruption must find the pending request
        if collected.count:
            yield collected.take()
        if failure is not None:
            self.context.failed(failure, document, lineage)

    def _sent(self, document: Document, lineage: Lineage) -> tuple[HttpRequest, HttpCall]:
        """The request for a document, on its way."""
        try:
            request = self._request(document)
            name = f"{request.method} {urlsplit(request.url).hostname}"
            outside = self.context.outside(name, [lineage])
            named = {name.lower() for name, _ in request.headers}
            more = [pair for pair in outside.headers if pair[0] not in named]
            if more:
                request = msgspec.structs.replace(request, headers=(*request.headers, *more))
            return request, TracedHttpCall(self._http.send(request, self._notify), outside)
        except DataError as error:
            return HttpRequest("", ""), UnsentCall(error)

    def _page_request(self, request: HttpRequest, url: str) -> HttpRequest:
        """A request for a further page: without a body, and without credentials for others."""
        headers = request.headers
        if not is_same_server(request.url, url):
            private = {name.lower() for name in (*request.private, "authorization", "cookie")}
            headers = tuple(pair for pair in headers if pair[0].lower() not in private)
        headers = tuple(pair for pair in headers if pair[0].lower() != "content-type")
        return HttpRequest("GET", url, headers, None, self._options, request.private)

    def _request(self, document: Document) -> HttpRequest:
        headers = self._headers(document)
        named = {name.lower() for name, _ in headers}
        own = self._authorization.headers(document)
        headers += [pair for pair in own if pair[0].lower() not in named]
        given = next((value for name, value in headers if name.lower() == "content-type"), None)
        body, kind = self.body(document, given or "")
        if kind.startswith("multipart/"):  # with a boundary, which no header of the user's names
            headers = [pair for pair in headers if pair[0].lower() != "content-type"]
            given = None
        if kind and given is None:
            headers.append(("Content-Type", kind))
        url = self._fixed_url or self._url(document)
        private = tuple(name for name, _ in own)
        method = self.method_for(document)
        return HttpRequest(method, url, tuple(headers), body, self._options, private)

    def _url(self, document: Document) -> str:
        query = [
            (str(name), as_text(value, f"the query parameter {name!r}"))
            for name, values in self.settings.query_parameters.items()
            for value in self._values(values, document)
        ]
        url = as_text(self.context.value(self.settings.service_url, document), "service_url")
        try:
            return address_of(url, query)
        except AddressError as error:
            summary = f"{shown_url(url)!r} is not a valid URL"
            raise DataError(summary, str(error), error.resolution) from None

    def _headers(self, document: Document) -> list[tuple[str, str]]:
        headers: list[tuple[str, str]] = []
        for name, values in self.settings.http_headers.items():
            for value in self._values(values, document):
                text = as_text(value, f"the header {name!r}")
                try:
                    headers.append((str(name), header_text(text)))
                except HeaderError as error:
                    raise DataError(
                        f"the header {name!r} cannot be sent",
                        f"its value is not valid in a header: {error}",
                        "remove it in the expression, for example with .trim()",
                    ) from None
        return headers

    def _values(self, values: Values, document: Document) -> Iterator[Any]:
        """The values of a query parameter or a header: none for null, several for a list."""
        for each in values if isinstance(values, tuple) else (values,):
            value = self.context.value(each, document)
            for one in value if isinstance(value, list | tuple) else (value,):
                if one is not None:
                    yield one

    def _answer(self, response: HttpResponse, document: Document, request: HttpRequest) -> Document:
        settings = self.settings
        kind, headers = settings.response_entity_type, self._shown_headers(response)
        if not 200 <= response.status < 300 and not self.takes_failures():
            details = details_of(response, kind, headers)
            raise status_error(f"{request.method} {shown_url(request.url)!r}", response, details)
        try:
            entity = entity_of(response, kind)
        except DataError as error:
            error.details = {**error.details, **details_of(response, kind, headers)}
            raise
        line = {
            "protoVersion": response.version,
            "statusCode": response.status,
            "reasonPhrase": response.reason,
        }
        return self.output({"statusLine": line, "entity": entity, "headers": headers}, document)

    def _shown_headers(self, response: HttpResponse) -> Document:
        """The headers by lower-case name."""
        shown: Document = {}
        for name, value in response.headers:
            shown.setdefault(name.lower(), []).append(value)
        several = self.settings.show_all_headers
        return {
            name: values if several and len(values) > 1 else values[-1]
            for name, values in shown.items()
        }

    def _notify(self, text: str) -> None:
        """Notify the user of a retry, but not of the same one for every document."""
        if text not in self._noticed and len(self._noticed) < _MAX_NOTICES:
            self._noticed.add(text)
            self.context.show(text)

    def _cancel_all(self) -> None:
        self._authorization.interrupt()
        for *_, call in list(self._pending):
            call.cancel()

    def _give_up(self) -> None:
        self._cancel_all()
        self._pending.clear()


class RestEntitySnap(RestSnap[RestEntitySettings]):
    """A request with an entity."""

    writes = True
    would = "send {items} to {service_url}"
    replayable = False
    about = """
    `http_entity` is the body of the request; an entity that is not text is sent as JSON. The
    response comes under `response`, the input document under `original`. A response whose status
    is not a success fails the document; the error document has its status, entity and headers.
    """

    def open(self) -> None:
        super().open()
        self._entity = self.context.function(self.settings.http_entity)

    def body(self, document: Document, content_type: str) -> tuple[bytes | None, str]:
        return body_of(self._entity(document), content_type)

    def output(self, answer: Document, document: Document) -> Document:
        return in_response(answer, document)


def in_response(answer: Document, document: Document) -> Document:
    """The output of all methods except GET."""
    return {"response": answer, "original": document}


def _varies(settings: RestSettings) -> bool:
    """Whether the URL may differ between documents."""
    parts: list[Evaluated[Any]] = [settings.service_url]
    for values in settings.query_parameters.values():
        parts += values if isinstance(values, tuple) else (values,)
    return any(part.expression is not None for part in parts)


def _header_problem(name: str) -> tuple[str, str] | None:
    if not _HEADER_NAME.fullmatch(name):
        return f"{name!r} is not a valid header name", "use letters, digits and hyphens"
    if name.lower() in _SET_BY_THE_CLIENT:
        return f"the header {name!r} is set by the engine", "remove it"
    return None
