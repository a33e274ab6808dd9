"""Fail the pipeline unless its documents are exactly those that are expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Settings,
    Snap,
    Value,
    View,
    Views,
    excerpt,
    same,
    setting,
)
from snaps.shared.velocity.json_template import documents_in, json_mistakes_in, json_template
from snaps.shared.velocity.template import Template, parameters_in


class AssertEqualsSettings(Settings):
    expected: list[dict[str, Any]] | None = setting(
        default=None, help="The documents, in their order.", example=[{"id": 1}, {"id": 2}]
    )
    text: str = setting(
        default="",
        help="The same as a template of JSON text, as in JSONGenerator: `$_name` is a parameter.",
        example='[{"id": 1, "region": $_region}, {"id": 2}]',
    )
    evaluate_with_input_document: bool = setting(
        default=True,
        help="Fill the template in for each document, so that `$name` is a field of the document "
        "that is compared; otherwise it sees parameters only.",
    )


class AssertEquals(Snap[AssertEqualsSettings]):
    since = "0.4.0"
    about = """
    The order of fields does not matter, and numbers are compared by value. The first difference
    stops the pipeline, whatever `on_error` says.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-test-assertequals",
        "Assert Equals",
        version=1,
        settings={
            "editable_content": "text",
            "evaluateWithInputDocument": "evaluate_with_input_document",
        },
        json={"text": "expected"},
    )
    views = Views(inputs=(View("input", unlinked="nothing"),), outputs=())
    single = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = "compares the documents of all requests with one list"
    examples = (
        Example("no documents are expected", settings={"expected": []}),
        Example(
            "the documents are as expected",
            settings={"expected": [{"id": 1, "name": "a"}, {"id": 2}]},
            given=[{"name": "a", "id": 1}, {"id": 2}],
        ),
    )

    @classmethod
    def check(cls, settings: AssertEqualsSettings) -> Iterable[Issue]:
        if (settings.expected is None) == (not settings.text.strip()):
            message = "expected is missing" if settings.expected is None else "set one of the two"
            yield Issue(("text",) if settings.text else (), message, "list the documents")
        elif settings.text:
            yield from json_mistakes_in(settings.text)

    @classmethod
    def parameters_read(
        cls, settings: AssertEqualsSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str, int, bool]]:
        return parameters_in(settings.text, "text", is_json=True)

    def open(self) -> None:
        settings = self.settings
        self._seen = 0
        self._template: Template | None = None
        self._expected = settings.expected or []
        if settings.text:
            template = json_template(settings.text)
            template.check_parameters(self.context.parameters)
            if settings.evaluate_with_input_document and not template.is_constant:
                self._template = template
            else:
                self._expected = self._filled(template, {})

    def process_batch(self, view: str, batch: Batch) -> None:
        for document in batch.items:
            if self._template is not None:
                self._expected = self._filled(self._template, document)
            if self._seen >= len(self._expected):
                raise ExecutionError(
                    f"{self._wanted()}, but there is another one: {excerpt(document)}"
                )
            wanted = self._expected[self._seen]
            self._seen += 1
            if not same(document, wanted):
                raise ExecutionError(
                    f"document {self._seen} is not as expected: {_difference(document, wanted)}"
                )
        self.context.dropped(len(batch))

    def finish(self) -> tuple[()]:
        if self._template is not None and not self._seen:
            self._expected = self._filled(self._template, {})
        if self._seen < len(self._expected):
            raise ExecutionError(f"{self._wanted()}, but there were only {self._seen}")
        return ()

    def _filled(self, template: Template, document: Document) -> list[Document]:
        try:
            return documents_in(template.filled(document, self.context.parameters))
        except DataError as error:
            raise ExecutionError(f"{error}; {error.resolution}") from error

    def _wanted(self) -> str:
        count = len(self._expected)
        return f"expected {count} document{'' if count == 1 else 's'}"


def _difference(found: Value, wanted: Value, place: str = "$") -> str:
    """The first difference of two values, with its place."""
    if found.__class__ is wanted.__class__ is dict:
        for name in wanted:
            if name not in found:
                return f"{place}.{name} is missing"
            if not same(found[name], wanted[name]):
                return _difference(found[name], wanted[name], f"{place}.{name}")
        added = next(name for name in found if name not in wanted)
        return f"{place}.{added} is not expected: {excerpt(found[added])}"
    if found.__class__ is wanted.__class__ is list and len(found) == len(wanted):
        for number, (mine, its) in enumerate(zip(found, wanted, strict=True)):
            if not same(mine, its):
                return _difference(mine, its, f"{place}[{number}]")
    return f"{place} is {excerpt(found)} instead of {excerpt(wanted)}"
