"""Remove something from a REST service: one DELETE request for each document."""

from __future__ import annotations

from engine.sdk import Document, Example, Expression, HttpResponse, setting
from snaps.rest.shared.entity import body_of
from snaps.rest.shared.foreign import rest_foreign
from snaps.rest.shared.settings import RestSettings
from snaps.rest.shared.snap import RestSnap, in_response


class RESTDeleteSettings(RestSettings):
    http_entity: Expression | None = setting(
        default=None,
        help="What is sent, if the service expects a body: bytes as they are, text as text, "
        "anything else as JSON.",
        example="{ids: $ids}",
    )


class RESTDelete(RestSnap[RESTDeleteSettings]):
    since = "0.1.0"
    writes = True
    would = "send a DELETE request for {items} to {service_url}"
    about = """
    The request has no body unless `http_entity` is set. The response comes under `response`, the
    input document under `original`. A response whose status is not a success fails the document;
    the error document has its status, entity and headers.
    """
    foreign = rest_foreign("Delete", settings={"entity": "http_entity"})
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

    def open(self) -> None:
        super().open()
        entity = self.settings.http_entity
        self._entity = None if entity is None else self.context.function(entity)

    def body(self, document: Document, content_type: str) -> tuple[bytes | None, str]:
        if self._entity is None:
            return None, content_type
        return body_of(self._entity(document), content_type)

    def output(self, answer: Document, document: Document) -> Document:
        return in_response(answer, document)
