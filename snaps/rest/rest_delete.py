"""Remove something from a REST service: one DELETE request for each document."""

from __future__ import annotations

from engine.sdk import Document, Example, HttpResponse
from snaps.rest.shared.foreign import rest_foreign
from snaps.rest.shared.settings import RestSettings
from snaps.rest.shared.snap import RestSnap, in_response


class RESTDelete(RestSnap[RestSettings]):
    since = "0.1.0"
    writes = True
    about = """
    The request has no body. The response comes under `response`, the input document under
    `original`. A response whose status is not a success fails the document; the error document
    has its status, entity and headers.
    """
    foreign = rest_foreign("Delete", unsupported={"entity": "an entity of a DELETE request"})
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
