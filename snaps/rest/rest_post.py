"""Send to a REST service: one POST request for each document."""

from __future__ import annotations

from engine.sdk import Document, Example, Foreign, HttpResponse
from snaps.rest.shared.snap import (
    FOREIGN_COLUMNS,
    FOREIGN_SETTINGS,
    RestEntitySettings,
    RestEntitySnap,
    in_response,
)


class RESTPostSettings(RestEntitySettings):
    """The settings of every request, and what is sent."""


class RESTPost(RestEntitySnap[RESTPostSettings]):
    since = "0.1.0"
    writes = True
    about = """
    `http_entity` is the body of the request; an entity that is not text is sent as JSON. The
    response comes under `response`, the input document under `original`. A response whose status
    is not a success fails the document; the error document has its status, entity and headers.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-rest-post",
        "REST Post",
        settings={**FOREIGN_SETTINGS, "entity": "http_entity"},
        columns=FOREIGN_COLUMNS,
    )
    method = "POST"
    replayable = False
    examples = (
        Example(
            "the document is sent as JSON",
            settings={"service_url": "https://api.example.com/orders"},
            given=[{"item": "bolt", "count": 3}],
            answers={
                "POST https://api.example.com/orders": HttpResponse(
                    201,
                    "Created",
                    (("Content-Type", "application/json"),),
                    b'{"id": 7}',
                ),
            },
            expect=[
                {
                    "response": {
                        "statusLine": {
                            "protoVersion": "HTTP/1.1",
                            "statusCode": 201,
                            "reasonPhrase": "Created",
                        },
                        "entity": {"id": 7},
                        "headers": {"content-type": "application/json"},
                    },
                    "original": {"item": "bolt", "count": 3},
                }
            ],
        ),
        Example(
            "a part of the document is sent, with a token in the header",
            settings={
                "service_url": "= _url",
                "http_entity": "$input",
                "http_headers": {"Authorization": "= 'Bearer ' + _token"},
            },
            parameters={"url": "https://api.example.com/predict", "token": "s3cret"},
            given=[{"input": [1, 2]}],
            answers={
                "POST https://api.example.com/predict": HttpResponse(
                    200,
                    "OK",
                    (("Content-Type", "application/json"),),
                    b'{"class": 1}',
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
                        "entity": {"class": 1},
                        "headers": {"content-type": "application/json"},
                    },
                    "original": {"input": [1, 2]},
                }
            ],
        ),
    )

    def output(self, answer: Document, document: Document) -> Document:
        return in_response(answer, document)
