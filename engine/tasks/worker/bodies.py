"""The body of a request as a value, by its content type.

A body without a content type counts as JSON, and so does JSON that `curl -d` labels as a form. A
form from a web page does not: a browser lets every page send one, without a preflight.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from engine.charsets import DEFAULT, CharsetError, decoded
from engine.documents import Document
from engine.sdk.content_types import charset_of, is_json, media_type
from engine.sdk.json_errors import JsonSyntaxError
from engine.sdk.moved_json import Places, decoded_with_text
from engine.tasks.wire.messages import Headers, values_of
from engine.tasks.worker.body_schema import BodySchema
from engine.tasks.worker.refusals import BadBody, CodedBody
from engine.tasks.worker.urlencoded import as_lists, pairs_of

Form = Literal["json", "form", "text", "bytes"]

_MAX_FORM_FIELDS = 10_000
_UTF_8 = (DEFAULT, "utf8")
_BOM = b"\xef\xbb\xbf"
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


def check_empty(method: str, headers: Headers) -> None:
    """Raises BadBody if the body is empty, but the content type is JSON and the method has a body.

    Without a content type an empty body is fine.
    """
    content_type = next(iter(values_of(headers, "content-type")), "")
    if method in _WITH_BODY and is_json(content_type):
        raise BadBody(
            f"it is empty, but its content type is {content_type!r:.60}",
            "send JSON, such as {} or null, or leave out the Content-Type header",
        )


def documents_of(headers: Headers, body: bytes, schema: BodySchema | None = None) -> list[Document]:
    """The documents in a body that is not empty. Raises BadBody, or UnfitBody by the schema.

    An object is one document, an array one for each element; text or bytes are the field `content`
    of one document.
    """
    read_as = body_format(headers)
    form, value = read_as.form_of(body), decoded_content(read_as, body)
    if schema is not None:
        schema.check(value)
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


class BodyFormat(msgspec.Struct, frozen=True):
    """How to read a body, as far as the headers tell. `coding` is one that is not supported."""

    form: Form
    charset: str
    by_a_page: bool
    coding: str

    def form_of(self, body: bytes) -> Form:
        is_form = self.form == "form"
        if is_form and not self.by_a_page and body.lstrip()[:1] in (b"{", b"["):
            return "json"
        return self.form


def body_format(headers: Headers) -> BodyFormat:
    content_type, by_a_page, coding = "", False, ""
    for name, value in headers:
        if name == "content-type":
            content_type = value
        elif name == "sec-fetch-site":
            by_a_page = True
        elif name == "content-encoding" and value.strip().lower() not in ("", "identity"):
            coding = coding or value
    return BodyFormat(_form(content_type), charset_of(content_type), by_a_page, coding)


def decoded_content(read_as: BodyFormat, body: bytes, seen: Places | None = None) -> Any:
    """Parsed JSON, a map of form fields, text or bytes, of a body that is not empty.

    With `seen`, lists of numbers that are not at or below these places of JSON may stay text.
    Raises BadBody.
    """
    if read_as.coding:
        raise CodedBody(
            f"the body has the content encoding {read_as.coding!r:.60}, which is not supported",
            "send the body uncompressed",
        )
    form, charset = read_as.form_of(body), read_as.charset
    if form == "json":
        return _json(body if charset.lower() in _UTF_8 else _text(charset, body).encode(), seen)
    if form == "form":
        return _fields(charset, body)
    return _text(charset, body) if form == "text" else body


def _fields(charset: str, body: bytes) -> Document:
    """A map of name to value, or to the list of values if there are several."""
    if body.count(b"&") >= _MAX_FORM_FIELDS:
        raise BadBody(f"the form has more than {_MAX_FORM_FIELDS:,} fields", "send JSON")
    try:
        fields = as_lists(pairs_of(body, charset, "the form"))
    except CharsetError as error:
        raise BadBody(str(error), _CHARSET_HINT) from None
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _form(content_type: str) -> Form:
    kind = media_type(content_type)
    if not kind or is_json(content_type):
        return "json"
    if kind == "application/x-www-form-urlencoded":
        return "form"
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


def _text(charset: str, body: bytes) -> str:
    try:
        return decoded(body, charset, "the body")
    except CharsetError as error:
        raise BadBody(str(error), _CHARSET_HINT) from None


_CHARSET_HINT = "send UTF-8, or name the charset in the Content-Type header"


def _kind(value: Any) -> str:
    names = {
        str: "a string",
        int: "a number",
        Decimal: "a number",
        bool: "a boolean",
        list: "an array",
    }
    return names.get(type(value), "null")
