"""Compare what a case put out with one of its expectations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.documents import Item, copied
from engine.errors import EvaluationError
from engine.expressions import Scope, compile_expression, compile_mapping, exact_decimals
from engine.pipeline.source import KeyPath
from engine.run.files.complete import write_complete
from engine.run.secrets import Secrets
from engine.sdk import to_json
from engine.sdk.http import HttpResponse
from engine.sdk.json_schema import schema_check
from engine.testing.cases.case import Expectation, FileExpectation, Given, SentRequest
from engine.testing.cases.comparing import (
    compare_all,
    counted,
    cut,
    find_all,
    includes,
    same,
    text_difference,
)
from engine.testing.cases.documents import (
    GivenError,
    comparable,
    documents_in,
    items_of,
    json_value,
    parsed_documents,
)


class Finding(NamedTuple):
    """A difference between an expectation at `path` of the test file and what happened."""

    path: KeyPath
    message: str
    details: tuple[str, ...] = ()


class Snapshots(NamedTuple):
    """How snapshots are compared: without the secrets of the run. With `update`, they are written
    instead, and it gets the name of each that has changed."""

    secrets: Secrets
    update: Callable[[str], None] | None = None


def check_expectation(
    expectation: Expectation, items: Sequence[Item], scope: Scope, snapshots: Snapshots
) -> Iterator[Finding]:
    """The differences between what was expected and what came."""
    documents = _without(expectation.ignore, comparable(items), scope)
    yield from _differences(expectation, documents, scope)
    if expectation.count is not None and expectation.count != len(documents):
        message = f"{expectation.target}: expected {counted(expectation.count)}, got"
        yield Finding((*expectation.path, "count"), f"{message} {len(documents)}")
    originals = documents if items and not isinstance(items[0], dict) else items
    yield from _false_expressions(expectation, originals, scope)
    if expectation.snapshot:
        yield from _snapshot(expectation, documents, scope, snapshots)


def check_response(
    sent: SentRequest, response: HttpResponse | None, schema: Mapping[str, Any] | None = None
) -> Iterator[Finding]:
    """The differences between a response and what it must be.

    `schema` is the JSON Schema of responses that are no errors and have a body.
    """
    path, name = (*sent.path, "response"), f"response to request {int(sent.path[-1]) + 1}"
    if response is None:
        yield Finding(path, f"{name}: there was none")
        return
    body = response.body.decode(errors="backslashreplace")
    if sent.status is not None and sent.status != response.status:
        message = f"{name}: expected the status {sent.status}, got {response.status}"
        yield Finding((*path, "status"), message, tuple(cut(body.splitlines())))
    for key, value in sent.response_headers.items():
        if response.header(key) != value:
            found = ", ".join(f"{key}: {text}" for key, text in response.headers) or "none"
            message = f"{name}: expected the header {key}: {value}"
            yield Finding((*path, "headers", key), message, (f"headers: {found}",))
    if sent.text is not None and sent.text != body:
        lines = ["the text differs", *text_difference(sent.text, body)]
        yield _finding((*path, "text"), name, lines)
    if sent.json is not None:
        yield from _check_json((*path, "json"), name, sent.json, body)
    if schema is not None and response.status < 300 and body:
        yield from _check_schema(path, name, schema, body)


def _check_schema(
    path: KeyPath, name: str, schema: Mapping[str, Any], body: str
) -> Iterator[Finding]:
    try:
        found = list(schema_check(schema, "the output_schema of the task")(json_value(body)))
    except ValueError:
        found = [("$", "it is not JSON")]
    if found:
        lines = [f"{place}: {message}" for place, message in found]
        message = f"{name}: the body does not match the output_schema of the task"
        yield Finding(path, message, tuple(cut(lines)))


def _check_json(path: KeyPath, name: str, expected: Any, body: str) -> Iterator[Finding]:
    try:
        actual = json_value(body)
    except ValueError:
        yield Finding(path, f"{name}: the body is not JSON", tuple(cut(body.splitlines())))
        return
    lines = compare_all([expected], [actual], same, unordered=False)
    if lines:
        first = lines[0].replace("document 1 of 1 differs", "the body differs")
        yield _finding(path, name, [first, *lines[1:]])


def check_file(
    expectation: FileExpectation, content: bytes, scope: Scope, snapshots: Snapshots
) -> Iterator[Finding]:
    """The differences between a file that was written and what it must hold."""
    text = content.decode(errors="backslashreplace")
    if expectation.text is not None and text != expectation.text:
        lines = text_difference(expectation.text, text)
        yield _finding(expectation.path, expectation.name, ["the text differs", *lines])
    part = expectation.contains_text
    if part is not None and part not in text:
        path = (*expectation.path, "contains_text")
        yield _finding(path, expectation.name, [f"the text lacks {part!r}", *text.splitlines()])
    if expectation.documents is not None:
        try:
            documents = parsed_documents(content, expectation.name, expectation.path)
        except GivenError as error:
            yield Finding(expectation.path, f"{expectation.name}: {error.message}")
            return
        yield from check_expectation(expectation.documents, documents, scope, snapshots)


def _differences(expectation: Expectation, documents: list[Any], scope: Scope) -> Iterator[Finding]:
    for key, given in (
        ("equals", expectation.equals),
        ("subset", expectation.subset),
        ("contains", expectation.contains),
    ):
        if given is None:
            continue
        expected = _expected(given)
        actual = documents
        if expected and all(isinstance(each, str) for each in expected):
            actual = [each.get("content") for each in documents]
        expected = _without(expectation.ignore, expected, scope)
        if key == "contains":
            lines = find_all(expected, actual, includes, unordered=expectation.unordered)
        else:
            match = same if key == "equals" else includes
            lines = compare_all(expected, actual, match, unordered=expectation.unordered)
        if lines:
            yield _finding(given.path, expectation.target, lines)


def _expected(given: Given) -> list[Any]:
    """What is expected, as written; of a binary stream perhaps only its text."""
    if given.csv is None and not given.file:
        return list(given.items)
    return list(items_of(given, "document"))


def _without(paths: Sequence[str], documents: list[Any], scope: Scope) -> list[Any]:
    """The documents without what is at the paths."""
    if not paths:
        return documents
    rows = [("", path) for path in paths]
    remove = compile_mapping(rows, pass_through=True, null_safe=True, scope=scope)
    return [remove(each) if isinstance(each, dict) else each for each in documents]


def _false_expressions(
    expectation: Expectation, documents: Sequence[Any], scope: Scope
) -> Iterator[Finding]:
    for place, text in enumerate(expectation.expressions):
        path = (*expectation.path, "expressions", place)
        if not documents and expectation.count != 0:
            message = f"{expectation.target}: there is no document for which it could be true"
            yield Finding(path, message)
            continue
        function = compile_expression(text, scope=scope)
        for number, document in enumerate(documents, 1):
            what = f"{expectation.target}: document {number} of {len(documents)}"
            shown = tuple(cut(_pretty(comparable([document])[0]).splitlines()))
            try:
                with exact_decimals():
                    value = function(copied(document))
            except EvaluationError as error:
                yield Finding(path, f"{what}: the expression failed", (str(error), *shown))
                break
            if value is not True:
                told = to_json(value, "the value").decode()
                yield Finding(path, f"{what}: the expression is {told}, not true", shown)
                break


def _snapshot(
    expectation: Expectation, documents: list[Any], scope: Scope, snapshots: Snapshots
) -> Iterator[Finding]:
    path, file = (*expectation.path, "snapshot"), Path(expectation.snapshot)
    documents = snapshots.secrets.mask(documents)
    if snapshots.update is not None:
        text = f"{_pretty(documents)}\n".encode()
        if not file.is_file() or file.read_bytes() != text:
            write_complete(file, text)
            snapshots.update(str(file))
        return
    if not file.is_file():
        hint = "hint: write it with --update, and look at it"
        yield Finding(path, f"{expectation.target}: there is no snapshot {str(file)!r}", (hint,))
        return
    try:
        expected = documents_in(file, path)
    except GivenError as error:
        yield Finding(path, f"{expectation.target}: {error.message}")
        return
    expected = _without(expectation.ignore, expected, scope)
    lines = compare_all(expected, documents, same, unordered=expectation.unordered)
    if lines:
        yield _finding(path, expectation.target, lines)


def _finding(path: KeyPath, target: str, lines: Sequence[str]) -> Finding:
    first, *rest = lines
    return Finding(path, f"{target}: {first}", tuple(cut(rest)))


def _pretty(value: Any) -> str:
    return msgspec.json.format(to_json(value, "the value"), indent=2).decode()
