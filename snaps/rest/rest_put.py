"""Replace something in a REST service: one PUT request for each document."""

from __future__ import annotations

from engine.sdk import Example, HttpResponse
from snaps.rest.shared.foreign import entity_foreign
from snaps.rest.shared.snap import RestEntitySnap


class RESTPut(RestEntitySnap):
    since = "0.1.0"
    foreign = entity_foreign("Put")
    method = "PUT"
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
