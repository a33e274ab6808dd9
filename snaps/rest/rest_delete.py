"""Remove something from a REST service: one DELETE request for each document."""

from __future__ import annotations

from engine.sdk import Document, Example, Foreign, HttpResponse
from snaps.rest.shared.snap import (
    FOREIGN_CHOICES,
    FOREIGN_IGNORED,
    FOREIGN_SETTINGS,
    FOREIGN_UNSUPPORTED,
    RestSettings,
    RestSnap,
    in_response,
)


class RESTDeleteSettings(RestSettings):
    """The settings of every request."""


class RESTDelete(RestSnap[RESTDeleteSettings]):
    since = "0.1.0"
    writes = True
    about = """
    The request has no body. The response comes under `response`, the input document under
    `original`. A response whose status is not a success fails the document; the error document
    has its status, entity and headers.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-rest-delete",
        "REST Delete",
        settings=FOREIGN_SETTINGS,
        choices=FOREIGN_CHOICES,
        ignored=FOREIGN_IGNORED,
        unsupported={**FOREIGN_UNSUPPORTED, "entity": "an entity of a DELETE request"},
    )
    method = "DELETE"
    replayable = False
    examples = (
        Example(
            "the resource with the document's id is removed",
            settings={"service_url": "= 'https://api.example.com/orders/' + $id"},
            given=[{"id": 7}],
            answers={
                "DELETE https://api.example.com/orders/7": HttpResponse(204, "No Content"),
            },
            expect=[
                {
                    "response": {
                        "statusLine": {
                            "protoVersion": "HTTP/1.1",
                            "statusCode": 204,
                            "reasonPhrase": "No Content",
                        },
                        "entity": "",
                        "headers": {},
                    },
                    "original": {"id": 7},
                }
            ],
        ),
    )

    def output(self, answer: Document, document: Document) -> Document:
        return in_response(answer, document)
