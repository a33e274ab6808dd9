"""What test, pin and task files mention of their pipelines."""

from __future__ import annotations

from engine.language.named import Mentions, Named, full_path, keys_at, node_at, scalars_in
from engine.language.workspace import Document
from engine.pipeline.nodes import Items, Scalar
from engine.pipeline.pin_files import pipeline_of
from engine.pipeline.source import KeyPath
from engine.testing.cases.reading import OF_THE_RUN, parse_tests

RESERVED = (*OF_THE_RUN, "output", "errors")
"""Keys of `expect` that are not labels."""

_DOCUMENTS = frozenset(("file", "csv"))


def mentions_in_tests(document: Document) -> Mentions:
    """The mentions in a test file."""
    found = Mentions(document)
    root = document.source.root
    pipeline = full_path(parse_tests(document.text, document.path).pipeline)
    _add_file(found, pipeline, ("pipeline",))
    for name in keys_at(root, ("cases",)):
        _add_case(found, pipeline, ("cases", name))
    for path, text in scalars_in(node_at(root, ("cases",)), ("cases",)):
        if path[-1] in ("file", "snapshot"):
            _add_file(found, full_path(document.folder, text), path)
    return found


def mentions_in_pins(document: Document) -> Mentions:
    """The mentions in a file with pins for previews."""
    found = Mentions(document)
    root, pipeline = document.source.root, full_path(pipeline_of(document.path))
    for label in keys_at(root, ("pins",)):
        found.add_key(Named("label", pipeline, label), ("pins", label))
    for path, text in scalars_in(node_at(root, ("pins",)), ("pins",)):
        if path[-1] == "file":
            _add_file(found, full_path(document.folder, text), path)
    return found


def mentions_in_task(document: Document) -> Mentions:
    """The mentions in a task file."""
    found = Mentions(document)
    named = node_at(document.source.root, ("pipeline",))
    if isinstance(named, Scalar) and named.text:
        pipeline = full_path(document.folder, named.text)
        _add_file(found, pipeline, ("pipeline",))
        _add_parameters(found, pipeline, ("parameters",))
    return found


def _add_case(found: Mentions, pipeline: str, case: KeyPath) -> None:
    root = found.document.source.root
    _add_parameters(found, pipeline, (*case, "parameters"))
    for label in keys_at(root, (*case, "mocks")):
        found.add_key(Named("label", pipeline, label), (*case, "mocks", label))
    for port in keys_at(root, (*case, "expect")):
        if port not in RESERVED:
            _add_port(found, pipeline, (*case, "expect", port))
    inputs = keys_at(root, (*case, "input"))
    for port in () if _DOCUMENTS.intersection(inputs) else inputs:
        _add_port(found, pipeline, (*case, "input", port))
    allowed = node_at(root, (*case, "allow"))
    for place, item in enumerate(allowed.items if isinstance(allowed, Items) else ()):
        if isinstance(item, Scalar) and item.text:
            found.add_value(Named("label", pipeline, item.text), (*case, "allow", place))


def _add_port(found: Mentions, pipeline: str, path: KeyPath) -> None:
    """A key that is a label, or a label and a view."""
    label = str(path[-1]).partition(".")[0]
    if label:
        found.add_key(Named("label", pipeline, label), path)


def _add_parameters(found: Mentions, pipeline: str, path: KeyPath) -> None:
    for name in keys_at(found.document.source.root, path):
        found.add_key(Named("parameter", pipeline, name), (*path, name))


def _add_file(found: Mentions, file: str, path: KeyPath) -> None:
    value = node_at(found.document.source.root, path)
    if isinstance(value, Scalar) and value.text:
        found.add_value(Named("file", file), path)
