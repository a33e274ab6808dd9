"""Names and values encoded as in the query of a URL: `a=1&b=two+words&c=%C3%A9`."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from engine.charsets import DEFAULT, CharsetError, decoded
from engine.sdk.content_types import charset_of
from engine.tasks.wire.messages import Headers, values_of
from engine.tasks.worker.refusals import BadQuery

Pairs = list[tuple[str, str]]


def pairs_of(data: bytes, charset: str, subject: str) -> Pairs:
    """Names and values, in order. Raises CharsetError, with `subject` in its message."""

    def text(part: bytes) -> str:
        return decoded(unquote_to_bytes(part.replace(b"+", b" ")), charset, subject)

    parts = (part.partition(b"=") for part in data.split(b"&") if part)
    return [(text(name), text(value)) for name, _, value in parts]


def as_lists(pairs: Pairs) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def query_of(query: str, headers: Headers) -> Pairs:
    """The parameters of a query string. Raises BadQuery.

    They are UTF-8, as in every URL, unless the content type names another charset.
    """
    content_types = values_of(headers, "content-type")[:1]
    reason = ""
    for charset in (DEFAULT, *map(charset_of, content_types)):
        try:
            return pairs_of(query.encode("latin-1"), charset, "the query")
        except CharsetError as error:
            reason = str(error)
    raise BadQuery(
        reason, "percent-encode it as UTF-8, or name its charset in the Content-Type header"
    )
