"""Checks that the steps of a snap (engine.expressions.steps) agree with the snap itself."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.documents import Document
from engine.expressions import Scope
from engine.expressions.records import OddError, Records, Site, UnfusableError
from engine.expressions.steps import DecodeJson, EncodeJson, Keep, Make, Step
from engine.numbers import with_decimals
from engine.registry import SnapClass
from engine.sdk.conversion import convert
from engine.sdk.json_output import to_json_lines
from engine.sdk.snap import Example
from engine.testing.kit import run_snap

_VALUES: tuple[Any, ...] = (None, True, 0, -3, 10**20, Decimal("2.50"), "", "x", "12", [], [1], {})


def check_steps(snap: SnapClass, example: Example, project: Path) -> None:
    """Run the steps and the snap on the documents of an example and on variations of them.

    Raises AssertionError where they disagree. Documents that the generated function refuses are not
    compared: the runtime leaves them to the snap.
    """
    settings, issues = convert(snap.settings_class, example.settings)
    steps = () if settings is None or issues else tuple(snap.steps(settings))
    given = with_decimals(example.given)
    if not isinstance(given, list | tuple) or not given or not _are_for_documents(steps):
        return
    site = Site(snap.__name__, "", EncodeJson())
    for step in reversed(steps):
        site = Site(snap.__name__, "", step, (("", site),))
    root = Site(snap.__name__, "", DecodeJson(), (("", site),))
    scopes = {snap.__name__: Scope(parameters=example.parameters)}
    for sample in given:
        try:
            records = Records(root, scopes, sample)
        except UnfusableError:
            continue
        for document in _variations(sample):
            _compare(snap, example, project, records, document)


def _are_for_documents(steps: tuple[Step, ...]) -> bool:
    return bool(steps) and all(isinstance(step, Keep | Make) for step in steps)


def _compare(
    snap: SnapClass, example: Example, project: Path, records: Records, document: Document
) -> None:
    line = to_json_lines([document])
    assert line is not None  # it holds JSON values only
    try:
        made, _, _ = records.process(line)
    except OddError:
        return
    run = run_snap(
        snap,
        example.settings,
        [document],
        on_error="discard",
        parameters=example.parameters,
        project=project,
        exact=True,
    )
    expected = to_json_lines(run.output)
    if made != expected:
        raise AssertionError(
            f"{snap.__name__}, {example.title!r}: for the document {document!r} the steps make\n"
            f"  {made!r}\nbut the snap makes\n  {expected!r}"
        )


def _variations(document: Document) -> Iterator[Document]:
    """The document, and copies of it in which a field is missing or has another value."""
    yield document
    for name in document:
        yield {key: value for key, value in document.items() if key != name}
        for value in _VALUES:
            yield {**document, name: value}
