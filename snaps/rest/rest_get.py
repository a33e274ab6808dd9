"""Fetch from a REST service: one GET request for each document, its response at the root."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import Document, Example, HttpResponse, Issue
from snaps.rest.shared.foreign import rest_foreign
from snaps.rest.shared.pagination import Pages, PageSettings, page_issues
from snaps.rest.shared.settings import RestSettings
from snaps.rest.shared.snap import RestSnap


class RESTGetSettings(PageSettings, RestSettings):
    pass


class RESTGet(RestSnap[RESTGetSettings]):
    since = "0.1.0"
    about = """
    The response is the document itself: `statusLine`, `entity` and `headers` at the root, and
    `original` if there was an input document. A response whose status is not a success fails the
    document; the error document has its status, entity and headers.

    With `has_next` and `next_url`, the pages after the first are requested one after the other;
    each is a document of its own. Credentials are not sent to another server.
    """
    foreign = rest_foreign(
        "Get",
        version=2,
        settings={
            "hasNext": "has_next",
            "nextUrl": "next_url",
            "paginationInterval": "pagination_interval",
        },
    )
    method = "GET"
    replayable = True
    examples = (
        Example(
            "a JSON response is parsed; the query comes from the document",
            settings={
                "service_url": "https://api.example.com/weather",
                "query_parameters": {"city": "= $city", "units": "metric"},
            },
            given=[{"city": "São Paulo"}],
            answers={
                "GET https://api.example.com/weather?city=S%C3%A3o%20Paulo&units=metric": (
                    HttpResponse(
                        200, "OK", (("Content-Type", "application/json"),), b'{"celsius": 23}'
                    )
                ),
            },
            expect=[
                {
                    "statusLine": {
                        "protoVersion": "HTTP/1.1",
                        "statusCode": 200,
                        "reasonPhrase": "OK",
                    },
                    "entity": {"celsius": 23},
                    "headers": {"content-type": "application/json"},
                    "original": {"city": "São Paulo"},
                }
            ],
        ),
        Example(
            "a failed request is an error with its status, entity and headers",
            settings={"service_url": "= 'https://api.example.com/orders/' + $id"},
            on_error="route",
            given=[{"id": 7}],
            answers={"GET https://api.example.com/orders/7": HttpResponse(404, "Not Found")},
            expect={
                "error": [
                    {
                        "error": "GET 'https://api.example.com/orders/7' was answered with "
                        "status 404",
                        "reason": "404 Not Found",
                        "resolution": "check service_url",
                        "stacktrace": "GET 'https://api.example.com/orders/7' was answered with "
                        "status 404: 404 Not Found",
                        "snap_details": {"label": "snap"},
                        "status": 404,
                        "statusCode": 404,
                        "entity": "",
                        "error_entity": "",
                        "headers": {},
                        "original": {"id": 7},
                    }
                ]
            },
        ),
    )

    @classmethod
    def check(cls, settings: RESTGetSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from page_issues(settings)

    def pages(self) -> Pages:
        return Pages(self.context, self.settings)

    def output(self, answer: Document, document: Document) -> Document:
        return {**answer, "original": document}
