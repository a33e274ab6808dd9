"""Make documents from JSON written in the pipeline: literally, or from a template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from engine.sdk import (
    ConfigurationError,
    Document,
    Example,
    Foreign,
    Issue,
    Settings,
    Snap,
    View,
    Views,
    setting,
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
            from snaps.shared.velocity.json_template import json_mistakes_in

            yield from json_mistakes_in(settings.text)

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

    @classmethod
    def known_output(cls, settings: JSONGeneratorSettings) -> Sequence[Document]:
        documents = settings.documents or ()
        made = [documents] if isinstance(documents, dict) else documents
        return [{**each, "original": {}} for each in made] if settings.pass_through else made

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
            from snaps.shared.velocity.json_template import documents_in

            return documents_in(self._template.filled(document, self.context.parameters))
        made = deepcopy(self.settings.documents)
        return made if isinstance(made, list) else [made or {}]

    def _template_of(self, settings: JSONGeneratorSettings) -> Template:
        from snaps.shared.velocity.json_template import json_template
        from snaps.shared.velocity.syntax import TemplateSyntaxError

        name = settings.file
        if not name:
            return json_template(settings.text)
        try:
            return json_template(b"".join(self.context.files.read(name)).decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"the file {name!r} is not UTF-8 text: byte {error.object[error.start]:#04x} at "
                f"offset {error.start}; save it as UTF-8"
            ) from error
        except TemplateSyntaxError as error:
            raise ConfigurationError(f"the template {name!r} cannot be used: {error}") from None


_SOURCES = ("documents", "text", "file")
