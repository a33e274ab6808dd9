"""Replace something in a REST service: one PUT request for each document."""

from __future__ import annotations

from engine.sdk import Document, Example, Foreign, HttpResponse
from snaps.rest.shared.snap import (
    FOREIGN_COLUMNS,
    FOREIGN_SETTINGS,
    RestEntitySettings,
    RestEntitySnap,
    in_response,
)


class RESTPutSettings(RestEntitySettings):
    """The settings of every request, and what is sent."""


class RESTPut(RestEntitySnap[RESTPutSettings]):
    since = "0.1.0"
    writes = True
    about = """
    `http_entity` is the body of the request; an entity that is not text is sent as JSON. The
    response comes under `response`, the input document under `original`. A response whose status
    is not a success fails the document; the error document has its status, entity and headers.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-rest-put",
        "REST Put",
        settings={**FOREIGN_SETTINGS, "entity": "http_entity"},
        columns=FOREIGN_COLUMNS,
    )
    method = "PUT"
    replayable = False
    examples = (
        Example(
            "the document replaces the one with its id",
            settings={"service_url": "= 'https://api.example.com/orders/' + $id"},
            given=[{"id": 7, "count": 4}],
            answers={
                "PUT https://api.example.com/orders/7": HttpResponse(
                    200,
                    "OK",
                    (("Content-Type", "application/json"),),
                    b'{"id": 7, "count": 4}',
                ),
            },
            expect=[
                {
                    "response": {
                        "statusLine": {
                            "protoVersion": "HTTP/1.1",
                            "statusCode": 200,
                            "reasonPhrase": "OK",
                        },
                        "entity": {"id": 7, "count": 4},
                        "headers": {"content-type": "application/json"},
                    },
                    "original": {"id": 7, "count": 4},
                }
            ],
        ),
    )

    def output(self, answer: Document, document: Document) -> Document:
        return in_response(answer, document)
