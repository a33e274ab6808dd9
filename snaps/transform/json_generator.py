"""Make documents from JSON written in the pipeline: literally, or from a template."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from engine.sdk import (
    ConfigurationError,
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    Settings,
    Snap,
    Value,
    View,
    Views,
    excerpt,
    json_hook,
    setting,
    to_json,
)


class JSONGeneratorSettings(Settings):
    documents: dict[str, Any] | list[dict[str, Any]] | None = setting(
        default=None, help="One document or a list of documents.", example=[{"id": 1}, {"id": 2}]
    )
    text: str = setting(
        default="",
        help="A template of JSON text: an object, or an array of objects. `$_name` is a parameter, "
        "`$field.sub[0]` a value of the input document, `${field}` the same; outside quotes it "
        "becomes a JSON value, inside them text. Inside quotes an unknown reference stays as it is "
        "written, and becomes empty as `$!name`. Lines that begin with `##` are comments, and "
        "`\\$` is a dollar sign.",
        example='{"name": $name, "greeting": "Hello ${name}"}',
    )
    file: str = setting(
        default="",
        help="A file with such a template, relative to the pipeline file.",
        example="samples/one.json",
    )
    pass_through: bool = setting(
        default=False, help="Add the input document to each document as `original`."
    )


class JSONGenerator(Snap[JSONGeneratorSettings]):
    since = "0.1.0"
    about = """
    `documents` are written in YAML and emitted as they are. `text` and `file` hold a JSON
    template, in which `$name` stands for a field of the input document and `${_name}` for a
    parameter; lines that begin with `##` are comments. Without a link to its input it runs once.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-jsongenerator",
        "JSON Generator",
        version=2,
        settings={
            "editable_content": "text",
            "passThroughProp": "pass_through",
        },
        json={"text": "documents"},
        defaults={"arrayElementsAsDocuments": True},
        unsupported={
            "arrayElementsAsDocuments": "one document that is an array",
            "supportTypeExts": "dates with type information",
        },
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "literal documents",
            settings={"documents": [{"id": 1}, {"id": 2}]},
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "a template is filled in for each input document",
            settings={"text": '## who is it?\n{"name": $user.name, "greeting": "Hi ${user.name}"}'},
            given=[{"user": {"name": "Ada"}}],
            expect=[{"name": "Ada", "greeting": "Hi Ada"}],
        ),
        Example(
            "a parameter",
            settings={"text": '{"region": $_region}'},
            parameters={"region": "eu"},
            expect=[{"region": "eu"}],
        ),
    )

    @classmethod
    def check(cls, settings: JSONGeneratorSettings) -> Iterable[Issue]:
        given = [name for name in _SOURCES if getattr(settings, name) not in (None, "")]
        if len(given) != 1:
            yield Issue(
                (given[1],) if given else (),
                f"{' and '.join(given)} are set" if given else "documents, text or file is missing",
                "set one of them: documents (YAML), text (a template) or file (a file with one)",
            )
        for problem in _unsupported_in(settings.text):
            hint = "write the JSON itself, or make the documents in a script"
            yield Issue(("text",), problem, hint)
        if settings.text:
            yield from _syntax_errors_of(settings.text)

    @classmethod
    def parameters_read(
        cls, settings: JSONGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        if not settings.text:
            return
        text = re.sub(_COMMENT, lambda comment: " " * len(comment[0]), settings.text)
        seen: set[tuple[str, bool]] = set()
        for token, quote in _tokens(text):
            name = token["name"] or ""
            if name.startswith("_") and (name, bool(quote)) not in seen:
                seen.add((name, bool(quote)))
                yield ("text",), name[1:], token.start("name"), not quote

    @classmethod
    def files_needed(
        cls, settings: JSONGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str]]:
        if settings.file:
            yield ("file",), settings.file

    def open(self) -> None:
        settings = self.settings
        self._adds_original = settings.pass_through and self.context.linked("input")
        self._template: _Template | None = None
        if settings.documents is None:
            text = self._text_of_file() if settings.file else settings.text
            self._template = _Template(text, self.context.parameters)

    def process(self, document: Document) -> list[Document]:
        documents = self._generate(document)
        if self._adds_original:
            return [{**made, "original": deepcopy(document)} for made in documents]
        return documents

    def _generate(self, document: Document) -> list[Document]:
        if self._template is not None:
            return self._template.documents(document)
        made = deepcopy(self.settings.documents)
        return made if isinstance(made, list) else [made or {}]

    def _text_of_file(self) -> str:
        name = self.settings.file
        try:
            text = b"".join(self.context.files.read(name)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"the file {name!r} is not UTF-8 text: byte {error.object[error.start]:#04x} at "
                f"offset {error.start}; save it as UTF-8"
            ) from error
        if unsupported := _unsupported_in(text):
            raise ConfigurationError(f"the template {name!r} cannot be used: {unsupported[0]}")
        return text


_SOURCES = ("documents", "text", "file")
_MAX_TEXT = 16 * 1024 * 1024


class _Reference(NamedTuple):
    """A placeholder in a template, for a parameter or a value of the input document.

    `quote` is the quotation mark around it, if any. A `quiet` one (`$!name`) becomes empty if
    there is no value.
    """

    written: str
    keys: tuple[str | int, ...]
    quote: str
    quiet: bool

    @property
    def is_parameter(self) -> bool:
        return str(self.keys[0]).startswith("_")


class _Template:
    """A JSON text with references, parsed once and filled in for each document."""

    def __init__(self, text: str, parameters: Mapping[str, str | None]) -> None:
        self._parameters = parameters
        self._parts = list(_parts_of(re.sub(_COMMENT, "", text)))
        for part in self._parts:
            if isinstance(part, _Reference) and part.is_parameter and not part.quote:
                self._parameter(part)

    def documents(self, document: Document) -> list[Document]:
        text = "".join(self._filled(part, document) for part in self._parts)
        value = _decoded(text)
        documents = value if isinstance(value, list) else [value]
        for number, item in enumerate(documents, 1):
            if not isinstance(item, dict):
                which = (
                    f"element {number} of the template" if documents is value else "the template"
                )
                raise DataError(
                    "cannot generate a document",
                    f"{which} produces {excerpt(item)}, but a document must be a map",
                    "write an object, or an array of objects",
                )
        return documents

    def _filled(self, part: str | _Reference, document: Document) -> str:
        if isinstance(part, str):
            return part
        try:
            value = self._parameter(part) if part.is_parameter else _looked_up(part, document)
        except (DataError, ConfigurationError):
            if part.quiet:
                return ""
            if part.quote:  # as in Velocity, an unknown reference stays as it is written
                return part.written
            raise
        if value is None and part.quiet:
            return ""
        if not part.quote:
            return _json(value)
        text = _json(value if isinstance(value, str) else _json(value))[1:-1]
        return text.replace("'", "\\u0027") if part.quote == "'" else text

    def _parameter(self, reference: _Reference) -> str | None:
        name = str(reference.keys[0])[1:]
        if name not in self._parameters:
            known = ", ".join(f"_{known}" for known in self._parameters) or "none"
            raise ConfigurationError(
                f"the template uses {reference.written!r}, but the pipeline has no parameter "
                f"{name!r}; its parameters are: {known}"
            )
        return self._parameters[name]


# Python compiles and keeps these when a template is used; `documents` needs none of them.
_COMMENT = r"(?m)^[ \t]*##.*"
_DIRECTIVE = r"#\{?(if|elseif|else|end|foreach|set|macro|include|parse|define|evaluate)\}?\s*\("
_REFERENCE = r"""
    \$(?P<quiet>!)?(?P<brace>\{)?(?P<name>_?[A-Za-z][A-Za-z0-9_]*)
    (?P<steps>(?:\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\]|\['[^']*'\])*)(?(brace)\})
"""
_WITHIN_QUOTES = rf"""\\\$ | \\. | ["'] | {_REFERENCE}"""
_OUTSIDE_QUOTES = rf"""\\\$ | \\. | ["'] | //[^\n]* | /\*.*?\*/ | {_REFERENCE}"""
_STEP = r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]"


def _unsupported_in(text: str) -> list[str]:
    """The parts of a template that this snap does not support."""
    if len(text) > _MAX_TEXT:
        return [f"the text has {len(text):,} characters; the limit is 16 MB"]
    directives = sorted(set(re.findall(_DIRECTIVE, re.sub(_COMMENT, "", text))))
    return [f"the template directive '#{name}' is not supported" for name in directives]


def _syntax_errors_of(text: str) -> Iterable[Issue]:
    """The syntax errors of a template, known in advance if it has no references."""
    if _unsupported_in(text) or any(
        token["name"] for token, _ in _tokens(re.sub(_COMMENT, "", text))
    ):
        return
    try:
        _Template(text, {}).documents({})
    except DataError as error:
        yield Issue(("text",), str(error), error.resolution)


def _tokens(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The tokens of a template, each with the quotation mark that is open there, if any."""
    within_quotes, outside_quotes = _token_patterns()
    quote = ""
    position = 0
    while token := (within_quotes if quote else outside_quotes).search(text, position):
        yield token, quote
        position = token.end()
        if token[0] in ('"', "'") and quote in ("", token[0]):
            quote = "" if quote else token[0]


@functools.cache
def _token_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The tokens within quotes and outside of them; only templates need the patterns."""
    flags = re.VERBOSE | re.DOTALL
    return re.compile(_WITHIN_QUOTES, flags), re.compile(_OUTSIDE_QUOTES, flags)


def _parts_of(text: str) -> Iterable[str | _Reference]:
    """The text cut at its references."""
    start = 0
    for token, quote in _tokens(text):
        written = token[0]
        if written == "\\$" or token["name"]:
            yield text[start : token.start()]
            start = token.end()
            if written == "\\$":
                yield "$"
            else:
                yield _Reference(written, _keys_of(token), quote, bool(token["quiet"]))
    yield text[start:]


def _keys_of(token: re.Match[str]) -> tuple[str | int, ...]:
    steps = re.findall(_STEP, token["steps"])
    return (token["name"], *(int(i) if i else name or quoted for name, i, quoted in steps))


def _looked_up(reference: _Reference, document: Document) -> Value:
    value: Value = document
    for key in reference.keys:
        try:
            value = value[key]
        except (LookupError, TypeError) as error:
            raise DataError(
                f"the template uses {reference.written!r}, which the input document does not have",
                f"there is no {key!r} in {excerpt(value)}",
                "write \\$ for a literal dollar sign",
            ) from error
    return value


def _decoded(text: str) -> Value:
    if len(text) > _MAX_TEXT:
        raise DataError(
            "cannot generate a document",
            f"the text has {len(text):,} characters; the limit is 16 MB",
            "read large JSON from a file, with FileReader and JSONParser",
        )
    data = text.encode(errors="surrogatepass")
    resolution = "correct it; references outside quotes become JSON values as they are"
    from engine.sdk import json_value  # its module takes long to import; `documents` do without it

    return json_value(data, "the template", resolution)


def _json(value: Value) -> str:
    try:
        return to_json(value, "the inserted value").decode()
    except DataError as error:
        import json  # for the rare values that `to_json` refuses

        try:  # an escaped half of a surrogate pair can join its other half in the text
            return json.dumps(value, default=json_hook, allow_nan=False)
        except (TypeError, ValueError, RecursionError, DataError):
            raise error from None
