"""The documents that reach a snap: those of the last preview, else what the settings above tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.errors import ExpressionError, UnusableSnapError
from engine.expressions import library_members, parse_path
from engine.expressions.kinds import Kind
from engine.expressions.steps import Make, Step
from engine.language.help import parameter_markdown
from engine.language.known import MAX_EXAMPLES, Knowledge, Known, node_of
from engine.language.workspace import Document
from engine.pipeline.spec import PortSpec, SnapSpec
from engine.plan.folders import folder_of, is_file, local_path, project_of
from engine.plan.inspection import inspect_output
from engine.sdk.conversion import convert
from engine.sdk.settings import Settings
from engine.sdk.snap import Snap
from engine.sdk.views import ERROR_VIEW

_MAX_SNAPS_ABOVE = 12
_EMPTY: Mapping[Kind, Any] = {
    "string": "",
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
}


def documents_at(document: Document, label: str) -> list[Any]:
    """Documents like those that reach the snap, at most some dozens."""
    return _Upstream(document).reaching(label, _MAX_SNAPS_ABOVE)


def knowledge_at(document: Document, label: str) -> Knowledge:
    """What the expressions of a snap may use."""
    parameters = {
        each.name: None if each.secret else each.default for each in document.spec.parameters
    }
    documents = documents_at(document, label) if label in document.spec.snaps else ()
    descriptions = {each.name: parameter_markdown(each) for each in document.spec.parameters}
    return Knowledge(documents, parameters, _libraries(document), descriptions)


def _libraries(document: Document) -> dict[str, Sequence[str]]:
    """The names in each library of the pipeline, as far as its file can be read."""
    folder = folder_of(document.path)
    project = project_of(folder) if document.spec.libraries else ""
    found: dict[str, Sequence[str]] = {}
    for library in document.spec.libraries:
        path = local_path(library.file, folder, project)
        names: Sequence[str] | None = None
        if path is not None and is_file(path):
            try:
                names = library_members(document.workspace.document(str(path)).text)
            except ExpressionError:
                names = None
        found[library.name] = names or ()
    return found


class _Upstream:
    """Follows the links of a pipeline against their direction."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._samples = document.workspace.samples_of(document.path)
        self._sources: dict[str, list[PortSpec]] = {}
        for link in document.spec.links:
            self._sources.setdefault(link.target.label, []).append(link.source)

    def reaching(self, label: str, depth: int) -> list[Any]:
        found: list[Any] = []
        for source in self._sources.get(label, ()):
            found.extend(self._leaving(source, depth))
        return found[:MAX_EXAMPLES]

    def _leaving(self, port: PortSpec, depth: int) -> Iterable[Any]:
        """The documents that left a view, or else those that follow from the settings."""
        wanted = [f"{port.label}.{port.view}"]
        if not port.view:
            ends = (key.rpartition(".") for key in self._samples)
            wanted = [
                f"{label}.{view}"
                for label, _, view in ends
                if label == port.label and view != ERROR_VIEW.name
            ]
        sampled = [item for key in wanted for item in self._samples.get(key, ())]
        if sampled or depth == 0:
            return sampled
        inputs = self.reaching(port.label, depth - 1)
        if port.view == ERROR_VIEW.name:
            return [_error_document(inputs)]
        spec = self._document.spec.snaps.get(port.label)
        return [] if spec is None else self._made(spec, inputs)

    def _made(self, spec: SnapSpec, inputs: list[Any]) -> Iterable[Any]:
        """What a snap makes of its inputs, as far as its class tells."""
        try:
            snap: type[Snap[Settings]] = self._document.registry[spec.type]
            if snap.passes_on:
                return inputs
            settings, _ = convert(snap.settings_class, spec.settings)
            if settings is None:
                return []
            known, steps = inspect_output(snap, settings)
        except (KeyError, UnusableSnapError):
            return []
        return known or _after(steps, inputs)


def _after(steps: Sequence[Step], inputs: list[Any]) -> list[Any]:
    """One document like those that a snap with these steps makes; none if it has no steps."""
    if len(steps) != 1 or not isinstance(steps[0], Make):
        return []
    step = steps[0]
    first = inputs[0] if inputs and inputs[0].__class__ is dict else {}
    made: Any = dict(first) if step.pass_through else {}
    knowledge = Knowledge(inputs[:1])
    for target, text in step.rows:
        node = node_of(text)
        value = _typical(knowledge.at(text, (node,)).of(node))
        try:
            made = parse_path(target, target=True).set(made, value)
        except ExpressionError:
            continue
    return [made]


def _typical(known: Known) -> Any:
    """A value of the known kind."""
    empty: dict[Kind, Any] = {
        "string": "",
        "number": 0,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return known.examples[0] if known.examples else empty.get(known.kind)


def _error_document(inputs: list[Any]) -> dict[str, Any]:
    """The shape of what leaves an error view."""
    texts = dict.fromkeys(("error", "reason", "resolution", "stacktrace"), "")
    return {**texts, "original": inputs[0] if inputs else {}}
