"""Send to a REST service: one POST request for each document."""

from __future__ import annotations

from engine.sdk import Example, HttpResponse
from snaps.rest.shared.foreign import entity_foreign
from snaps.rest.shared.snap import RestEntitySnap


class RESTPost(RestEntitySnap):
    since = "0.1.0"
    foreign = entity_foreign("Post")
    method = "POST"
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
