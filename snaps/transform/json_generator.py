"""Make documents from JSON written in the pipeline: literally, or from a template."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

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
    setting,
    to_json,
)

if TYPE_CHECKING:  # templates are imported when one is used; `documents` do without them
    from snaps.shared.velocity.template import Template


class JSONGeneratorSettings(Settings):
    documents: dict[str, Any] | list[dict[str, Any]] | None = setting(
        default=None, help="One document or a list of documents.", example=[{"id": 1}, {"id": 2}]
    )
    text: str = setting(
        default="",
        help="A template of JSON text: an object, or an array of objects. `$_name` is a parameter, "
        "`$field.sub[0]` a value of the input document, `${field}` the same; outside quotes it "
        "becomes a JSON value, inside them text. Inside quotes an unknown reference stays as it is "
        "written, and becomes empty as `$!name`. `##` begins a comment, `\\$` is a dollar sign; "
        "`#if`, `#foreach` and `#set` are those of Velocity.",
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
    parameter, as in Apache Velocity: `##` begins a comment, and there are `#set($x = 1)`,
    `#if($a.b == 'c') ... #elseif(...) ... #else ... #end` and
    `#foreach($item in $items) $item #if($foreach.hasNext), #end #end`. Without a link to its input
    it runs once.
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
        if settings.text:
            yield from _mistakes_in(settings.text)

    @classmethod
    def parameters_read(
        cls, settings: JSONGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        if not settings.text:
            return ()
        from snaps.shared.velocity.template import parameters_in

        return parameters_in(settings.text, "text", is_json=True)

    @classmethod
    def files_needed(
        cls, settings: JSONGeneratorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str]]:
        if settings.file:
            yield ("file",), settings.file

    def open(self) -> None:
        settings = self.settings
        self._adds_original = settings.pass_through and self.context.linked("input")
        self._template: Template | None = None
        if settings.documents is None:
            self._template = self._template_of(settings)
            self._template.check_parameters(self.context.parameters)

    def process(self, document: Document) -> list[Document]:
        documents = self._generate(document)
        if self._adds_original:
            return [{**made, "original": deepcopy(document)} for made in documents]
        return documents

    def _generate(self, document: Document) -> list[Document]:
        if self._template is not None:
            return _documents_in(self._template.filled(document, self.context.parameters))
        made = deepcopy(self.settings.documents)
        return made if isinstance(made, list) else [made or {}]

    def _template_of(self, settings: JSONGeneratorSettings) -> Template:
        from snaps.shared.velocity.syntax import TemplateSyntaxError

        name = settings.file
        if not name:
            return _template(settings.text)
        try:
            return _template(b"".join(self.context.files.read(name)).decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"the file {name!r} is not UTF-8 text: byte {error.object[error.start]:#04x} at "
                f"offset {error.start}; save it as UTF-8"
            ) from error
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"the template {name!r} cannot be used: {error}") from None


_SOURCES = ("documents", "text", "file")


def _template(text: str) -> Template:
    from snaps.shared.velocity.template import Template

    return Template(text, is_json=True, insert=_inserted)


def _mistakes_in(text: str) -> Iterable[Issue]:
    """The mistakes of a template; those of its JSON are known if no document changes it."""
    from snaps.shared.velocity.syntax import TemplateSyntaxError
    from snaps.shared.velocity.template import MAX_TEXT

    if len(text) > MAX_TEXT:
        problem = f"the text has {len(text):,} characters; the limit is 16 MB"
        yield Issue(("text",), problem, "read large JSON from a file, with FileReader")
        return
    try:
        template = _template(text)
        if template.is_constant:
            _documents_in(template.filled({}, {}))
    except TemplateSyntaxError as error:
        yield Issue(("text",), str(error), "correct it, or write \\# for a literal number sign")
    except DataError as error:
        yield Issue(("text",), str(error), error.resolution)


def _documents_in(text: str) -> list[Document]:
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
    from engine.sdk import json_value  # its module takes long to import; `documents` do without it

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
