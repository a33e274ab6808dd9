"""A request as a document, and a document as the response (reference, section 5.3).

The root of the request document holds the headers, names in lower case; the body is `content`,
parsed if it is JSON, and the query string is `query`, a map of name to list of values. It also has
`method`, `uri`, `path_info` and `task_name`, and `auth` if the caller's token has a name or claims;
no header of a caller can replace these. Of the
response document `content` is the body, `status` the HTTP status, and every other field a header;
without `content` the document itself is the body.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import msgspec

from engine.charsets import CharsetError, encoded
from engine.documents import Document, Item, StreamEnd, StreamStart
from engine.errors import DataError
from engine.sdk import to_json
from engine.sdk.content_types import charset_of, is_json
from engine.sdk.json_reading import json_value
from engine.sdk.moved_json import Places
from engine.tasks.wire.messages import SHORT_HEAD, Headers, Request, Response, unpacked
from engine.tasks.worker.bodies import BodyFormat, body_format, check_empty, decoded_content
from engine.tasks.worker.http_headers import joined, response_headers, response_status
from engine.tasks.worker.urlencoded import as_lists, query_of

_OK = 200
_NOT_ASCII = re.compile("[^\x00-\x7f]+")


def request_document(request: Request, task: str, seen: Places | None = None) -> Document:
    """The document that an open document input gets. Raises BadRequest.

    With `seen`, lists of numbers that are not at or below these places of the content may stay
    JSON text.
    """
    known = _known_fields(request.packed, task)
    document = known.headers.copy()
    if request.body:
        document["content"] = decoded_content(known.body_format, request.body, seen)
    else:
        check_empty(request.head.method, request.head.headers)
    _add_facts(document, known, request)
    return document


def request_stream(request: Request, task: str) -> list[Item]:
    """What an open binary input gets: the headers as the stream's header, and the body.

    Raises BadQuery.
    """
    known = _known_fields(request.packed, task)
    header = known.headers.copy()
    _add_facts(header, known, request)
    return [StreamStart(header), *([request.body] if request.body else ()), StreamEnd()]


class _HeadFields(msgspec.Struct, frozen=True):
    """What follows from the head of a request alone. Documents get copies of what is not a string.

    `headers` are fields without the names that have a meaning of their own in the document.
    """

    headers: Document
    facts: dict[str, str]
    query: dict[str, list[str]]
    body_format: BodyFormat


def _head_fields(packed: bytes, task: str) -> _HeadFields:
    head = unpacked(packed)
    fields: Document = joined(head.headers)
    for name in ("content", "status", "auth"):
        fields.pop(name, None)
    facts = {
        "method": head.method,
        "uri": f"{head.path}?{head.query}" if head.query else head.path,
        "path_info": head.path_info,
        "task_name": task,
    }
    query = as_lists(query_of(head.query, head.headers))
    return _HeadFields(fields, facts, query, body_format(head.headers))


_remembered_fields = lru_cache(256)(_head_fields)


def _known_fields(packed: bytes, task: str) -> _HeadFields:
    """Raises BadQuery."""
    find = _remembered_fields if len(packed) <= SHORT_HEAD else _head_fields
    return find(packed, task)


def _add_facts(document: Document, known: _HeadFields, request: Request) -> None:
    if request.caller:
        document["auth"] = caller_of(request)
    query = known.query
    document["query"] = {name: values.copy() for name, values in query.items()} if query else {}
    document.update(known.facts)


def caller_of(request: Request) -> dict[str, Any]:
    """`name` and `claims` of the caller's token; empty if it has neither."""
    if not request.caller:
        return {}
    caller: dict[str, Any] = json_value(request.caller, "the caller", "")
    return caller


def response_of(request: int, items: list[Item]) -> Response:
    """The response for a document, or for all pieces of a binary stream.

    Raises DataError if a field cannot be a status or a header.
    """
    if isinstance(items[0], dict):
        return _response_of_document(request, items[0])
    start, *pieces = items
    assert isinstance(start, StreamStart)  # a stream begins with it
    fields = {name: value for name, value in start.header.items() if name != "status"}
    status = response_status(start.header.get("status"))
    body = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return Response(request, status, response_headers(fields), body)


def _response_of_document(request: int, document: Document) -> Response:
    if "content" not in document:
        return Response(request, _OK, [_JSON], to_json(document, "the response"))
    content = document["content"]
    headers: Headers = []
    status, given = _OK, None
    if len(document) > 1:
        status, headers = response_head(document)
        given = next((value for name, value in headers if name == "content-type"), None)
    if given is None:
        headers.append(_BYTES if isinstance(content, bytes) else _JSON)
    return Response(request, status, headers, _body(content, given))


def response_head(document: Document) -> tuple[int, Headers]:
    """Status and headers of the response for a document. Raises DataError."""
    if "content" not in document:
        return _OK, []
    fields = {name: value for name, value in document.items() if name not in ("content", "status")}
    status = response_status(document.get("status"))
    return status, response_headers(_plain(fields)) if fields else []


def _plain(fields: Document) -> Document:
    """Maps as JSON: a request that is passed through has a map in `query`."""
    return {
        name: _in_ascii(msgspec.json.format(to_json(value, "the response"), indent=0).decode())
        if isinstance(value, dict)
        else value
        for name, value in fields.items()
    }


def _in_ascii(text: str) -> str:
    """JSON text with the escapes that a header needs."""
    return (
        text if text.isascii() else _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    )


def _body(content: Any, content_type: str | None) -> bytes:
    """JSON, unless the document names another type for a string or bytes; in its charset."""
    if isinstance(content, bytes):
        return content
    if content_type is None:
        return to_json(content, "the response")
    is_text = isinstance(content, str) and not is_json(content_type)
    text = content if is_text else to_json(content, "the response").decode()
    try:
        return encoded(text, charset_of(content_type), "the response")
    except CharsetError as error:
        raise DataError(
            "the response cannot be sent",
            str(error),
            "name another charset in the field 'content-type', or change the text",
        ) from None


def error_response(request: int, status: int, error: Document, outcome: str) -> Response:
    """The response for an error: error, reason, resolution; no stack trace, no original."""
    texts = {name: _sendable(error.get(name, "")) for name in ("error", "reason", "resolution")}
    return Response(request, status, [_JSON], to_json(texts), outcome)


def _sendable(text: Any) -> str:
    """The text with half characters escaped, so that an error always reaches the caller."""
    return str(text).encode(errors="backslashreplace").decode()


def described(error: DataError) -> Document:
    return {"error": error.error, "reason": error.reason, "resolution": error.resolution}


_JSON = ("content-type", "application/json")
_BYTES = ("content-type", "application/octet-stream")
