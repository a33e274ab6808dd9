"""The body of a request as a value, by its content type.

What says nothing of its type, and what `curl -d` sends as a form though it is JSON, counts as JSON.
Not so what a web page sends as a form: a browser lets every page do that, and would not ask first.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec

from engine.documents import Document
from engine.tasks.processes.messages import Headers

Form = Literal["json", "form", "text", "bytes"]

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_CHARSETS = re.compile(
    r"utf-?8|utf-?16(le|be)?|utf-?32(le|be)?|us-ascii|ascii|latin-?1|(iso-8859|windows|cp)-?\d{1,4}"
)
"""Some codecs of Python take time that grows with the square of the text."""

_MOST_FIELDS = 10_000
_BOM = b"\xef\xbb\xbf"


class BadBody(Exception):  # noqa: N818  # named for what the caller has sent
    """The body is not what its content type says, or not what an input can take: a 400."""

    def __init__(self, reason: str, resolution: str = "") -> None:
        super().__init__(reason, resolution)
        self.reason = reason
        self.resolution = resolution

    def __str__(self) -> str:
        return self.reason


def decode_body(headers: Headers, body: bytes) -> Any:
    """Parsed JSON, a map of form fields, text or bytes; None without a body. Raises BadBody."""
    return _decoded(headers, body)[1] if body else None


def documents_of(headers: Headers, body: bytes) -> list[Document] | None:
    """What the body gives to a document input; None without a body. Raises BadBody.

    An object is one document and an array one for each element; a text, and bytes, are the field
    `content` of one.
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
                f"{which} is {_kind(document)}, and a document is an object",
                "Send a JSON object, or an array of objects.",
            )
    return documents


def _decoded(headers: Headers, body: bytes) -> tuple[Form, Any]:
    content_type, by_a_page = "", False
    for name, value in headers:
        if name == "content-type":
            content_type = value
        elif name == "sec-fetch-site":
            by_a_page = True
        elif name == "content-encoding" and value.strip().lower() not in ("", "identity"):
            raise BadBody(
                f"the body has the content encoding {value!r:.60}, which is not understood",
                "Send the body as it is, not compressed.",
            )
        elif name == "transfer-encoding" and value.strip().lower() != "chunked":
            raise BadBody(
                f"the body has the transfer encoding {value!r:.60}, which is not understood",
                "Send the body as it is, or chunked.",
            )
    form = _form(content_type, body, by_a_page)
    if form == "json":
        return form, _json(_recoded(content_type, body))
    if form == "form":
        return form, _fields(body)
    if form == "text":
        return form, _text(content_type, body)
    return form, body


def _fields(body: bytes) -> Document:
    """A map of name to value, or to the list of values if there are several."""
    try:
        fields = parse_qs(
            body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        reason = f"the form has more than {_MOST_FIELDS:,} fields"
        raise BadBody(reason, "Send JSON.") from None
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _form(content_type: str, body: bytes, by_a_page: bool) -> Form:
    kind = content_type.split(";", 1)[0].strip().lower()
    if kind in ("", "application/json") or kind.endswith("+json"):
        return "json"
    if kind == "application/x-www-form-urlencoded":
        is_json = not by_a_page and body.lstrip()[:1] in (b"{", b"[")
        return "json" if is_json else "form"
    return "text" if kind.startswith("text/") else "bytes"


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadBody(
            f"the body is not JSON: {reason}",
            "Send JSON, or say in the header Content-Type what it is, such as text/plain.",
        ) from None


def _recoded(content_type: str, body: bytes) -> bytes:
    """In UTF-8, which nearly all JSON is."""
    if "charset" not in content_type.lower() or _charset(content_type) in ("utf-8", "utf8"):
        return body
    return _text(content_type, body).encode(errors="surrogatepass")


def _text(content_type: str, body: bytes) -> str:
    charset = _charset(content_type)
    try:
        if not _CHARSETS.fullmatch(charset):
            raise LookupError
        return body.decode("utf-8-sig" if charset in ("utf-8", "utf8") else charset)
    except LookupError:
        raise BadBody(f"the charset {charset!r:.60} is not known", "Send UTF-8.") from None
    except UnicodeDecodeError as error:
        raise BadBody(
            f"the body is not {charset} text: {error.reason} at byte {error.start}",
            "Send UTF-8, or name the charset in the header Content-Type.",
        ) from None


def _charset(content_type: str) -> str:
    named = _CHARSET.search(content_type)
    return named[1].lower() if named else "utf-8"


def _kind(value: Any) -> str:
    names = {str: "a text", int: "a number", float: "a number", bool: "a boolean", list: "an array"}
    return names.get(type(value), "null")
