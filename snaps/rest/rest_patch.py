"""Change something in a REST service: one PATCH request for each document."""

from __future__ import annotations

from engine.sdk import Example, HttpResponse
from snaps.rest.shared.foreign import entity_foreign
from snaps.rest.shared.snap import RestEntitySnap


class RESTPatch(RestEntitySnap):
    since = "0.1.0"
    foreign = entity_foreign("Patch")
    method = "PATCH"
    examples = (
        Example(
            "one field is changed",
            settings={
                "service_url": "= 'https://api.example.com/orders/' + $id",
                "http_entity": "{count: $count}",
            },
            given=[{"id": 7, "count": 4}],
            answers={
                "PATCH https://api.example.com/orders/7": HttpResponse(
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
