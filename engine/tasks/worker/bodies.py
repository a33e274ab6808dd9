"""The body of a request as a value, by its content type.

A body without a content type counts as JSON, and so does JSON that `curl -d` labels as a form. A
form from a web page does not: a browser lets every page send one, without a preflight.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from engine.charsets import DEFAULT, CharsetError, decoded
from engine.documents import Document
from engine.sdk.content_types import charset_of, is_json, media_type
from engine.sdk.json_errors import JsonSyntaxError
from engine.sdk.moved_json import Places, decoded_with_text
from engine.tasks.wire.messages import Headers
from engine.tasks.worker.refusals import BadBody, CodedBody
from engine.tasks.worker.urlencoded import as_lists, pairs_of

Form = Literal["json", "form", "text", "bytes"]

_MAX_FORM_FIELDS = 10_000
_BOM = b"\xef\xbb\xbf"
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


def check_empty(method: str, headers: Headers) -> None:
    """Raises BadBody if the body is empty, but the content type is JSON and the method has a body.

    Without a content type an empty body is fine.
    """
    content_type = _header(headers, "content-type")
    if method in _WITH_BODY and is_json(content_type):
        raise BadBody(
            f"it is empty, but its content type is {content_type!r:.60}",
            "send JSON, such as {} or null, or leave out the Content-Type header",
        )


def decode_body(headers: Headers, body: bytes, seen: Places | None = None) -> Any:
    """Parsed JSON, a map of form fields, text or bytes; None without a body. Raises BadBody.

    With `seen`, lists of numbers that are not at or below these places of JSON may stay text.
    """
    return _decoded(headers, body, seen)[1] if body else None


def documents_of(headers: Headers, body: bytes) -> list[Document] | None:
    """The documents for a document input; None without a body. Raises BadBody.

    An object is one document, an array one for each element; text or bytes are the field `content`
    of one document.
    """
    if not body:
        return None
    form, value = _decoded(headers, body)
    if form in ("text", "bytes"):
        return [{"content": value}]
    documents = value if isinstance(value, list) else [value]
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict):
            which = f"element {number} of the array" if documents is value else "the body"
            raise BadBody(
                f"{which} is {_kind(document)}, not an object",
                "send a JSON object, or an array of objects",
            )
    return documents


def _decoded(headers: Headers, body: bytes, seen: Places | None = None) -> tuple[Form, Any]:
    content_type, by_a_page = "", False
    for name, value in headers:
        if name == "content-type":
            content_type = value
        elif name == "sec-fetch-site":
            by_a_page = True
        elif name == "content-encoding" and value.strip().lower() not in ("", "identity"):
            raise CodedBody(
                f"the body has the content encoding {value!r:.60}, which is not supported",
                "send the body uncompressed",
            )
    form = _form(content_type, body, by_a_page)
    if form == "json":
        return form, _json(_recoded(content_type, body), seen)
    if form == "form":
        return form, _fields(content_type, body)
    if form == "text":
        return form, _text(content_type, body)
    return form, body


def _fields(content_type: str, body: bytes) -> Document:
    """A map of name to value, or to the list of values if there are several."""
    if body.count(b"&") >= _MAX_FORM_FIELDS:
        raise BadBody(f"the form has more than {_MAX_FORM_FIELDS:,} fields", "send JSON")
    try:
        fields = as_lists(pairs_of(body, charset_of(content_type), "the form"))
    except CharsetError as error:
        raise BadBody(str(error), _CHARSET_HINT) from None
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _form(content_type: str, body: bytes, by_a_page: bool) -> Form:
    kind = media_type(content_type)
    if not kind or is_json(content_type):
        return "json"
    if kind == "application/x-www-form-urlencoded":
        looks_like_json = not by_a_page and body.lstrip()[:1] in (b"{", b"[")
        return "json" if looks_like_json else "form"
    return "text" if kind.startswith("text/") else "bytes"


def _json(body: bytes, seen: Places | None) -> Any:
    text = body.removeprefix(_BOM)
    try:
        return decoded_with_text(text, seen)
    except JsonSyntaxError as error:
        raise BadBody(
            f"the body is not valid JSON: {error.placed(text)}",
            error.remedy
            or "send JSON, or name the type in the Content-Type header, such as text/plain",
        ) from None


def _recoded(content_type: str, body: bytes) -> bytes:
    """The body in UTF-8, as nearly all JSON already is."""
    if charset_of(content_type).lower() in (DEFAULT, "utf8"):
        return body
    return _text(content_type, body).encode()


def _text(content_type: str, body: bytes) -> str:
    try:
        return decoded(body, charset_of(content_type), "the body")
    except CharsetError as error:
        raise BadBody(str(error), _CHARSET_HINT) from None


_CHARSET_HINT = "send UTF-8, or name the charset in the Content-Type header"


def _header(headers: Headers, wanted: str) -> str:
    return next((value for name, value in headers if name == wanted), "")


def _kind(value: Any) -> str:
    names = {
        str: "a string",
        int: "a number",
        Decimal: "a number",
        bool: "a boolean",
        list: "an array",
    }
    return names.get(type(value), "null")
