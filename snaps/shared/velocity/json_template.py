"""Templates of JSON text: values become JSON, and the result is one document or a list of them."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import DataError, Document, Issue, Value, excerpt, json_value, to_json
from snaps.shared.velocity.template import Template, mistakes_in


def json_template(text: str) -> Template:
    """The template of a JSON text. Raises TemplateSyntaxError."""
    return Template(text, is_json=True, insert=_inserted)


def json_mistakes_in(text: str) -> Iterable[Issue]:
    """The mistakes of a template; those of its JSON are known if no document changes it."""
    return mistakes_in(text, documents_in, is_json=True)


def documents_in(text: str) -> list[Document]:
    """The documents in a filled template: an object, or a list of objects. Raises DataError."""
    value = _decoded(text)
    documents = value if isinstance(value, list) else [value]
    for number, item in enumerate(documents, 1):
        if not isinstance(item, dict):
            which = f"element {number} of the template" if documents is value else "the template"
            raise DataError(
                "cannot generate a document",
                f"{which} produces {excerpt(item)}, but a document must be a map",
                "write an object, or an array of objects",
            )
    return documents


def _decoded(text: str) -> Value:
    data = text.encode(errors="surrogatepass")
    resolution = "correct it; references outside quotes become JSON values as they are"
    return json_value(data, "the template", resolution)


def _inserted(value: Value, quote: str) -> str:
    """A value as JSON, or as part of a string in JSON."""
    if not quote:
        return _json(value)
    text = _json(value if isinstance(value, str) else _json(value))[1:-1]
    return text.replace("'", "\\u0027") if quote == "'" else text


def _json(value: Value) -> str:
    try:
        return to_json(value, "the inserted value").decode()
    except DataError as error:
        try:
            return _with_halves(value)
        except (RecursionError, DataError):
            raise error from None


def _with_halves(value: Value) -> str:
    """A value as JSON with strings in ASCII: an escaped half of a surrogate pair can join its other
    half in the text."""
    import json  # for the rare values that `to_json` refuses

    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, dict):
        fields = (f"{json.dumps(key)}:{_with_halves(item)}" for key, item in value.items())
        return f"{{{','.join(fields)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_with_halves, value))}]"
    return to_json(value, "the inserted value").decode()
