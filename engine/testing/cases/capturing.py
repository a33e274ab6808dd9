"""Write a case from a run: what it got from the outside becomes mocks, what it did, expectations.

The pipeline runs once as it is. Then the case runs twice with the mocks. What differs between these
two runs is marked: it is not compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.documents import Item, StreamStart
from engine.errors import ConfigurationError, InvalidPipelineError
from engine.pipeline import PipelineSpec, load
from engine.pipeline.case_files import SUFFIXES
from engine.pipeline.load import compose_text
from engine.pipeline.nodes import Table
from engine.plan.plan import Plan, Port
from engine.registry import Registry
from engine.sdk import to_json
from engine.sdk.views import ERROR_VIEW
from engine.testing.cases.comparing import compare_all, differing_paths, same
from engine.testing.cases.documents import comparable
from engine.testing.cases.executing import Run, guard_of, run_plan_of
from engine.testing.cases.preparing import Prepared, prepare
from engine.testing.cases.reading import parse_tests
from engine.testing.cases.recording import Recorder

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)?")
_RESERVED = ("output", "errors", "files", "failure", "diagnostics")
_WORDS = ("null", "true", "false", "Null", "True", "False", "NULL", "TRUE", "FALSE")
_INDEX = re.compile(r"\[\d+\]")


class Recording(msgspec.Struct, frozen=True):
    """A case that was written: the file with its text, and what the user should know."""

    path: str
    name: str
    text: str
    notes: tuple[str, ...]


class _Draft(msgspec.Struct):
    """A case on its way; `expect` are lines below its key."""

    name: str
    now: str
    parameters: Mapping[str, str]
    inputs: list[Any] | None
    mocks: dict[str, dict[str, list[Any]]] = {}
    expect: list[str] = []

    def lines(self) -> Iterator[str]:
        yield f"  {_key(self.name)}:"
        yield f"    now: {self.now}"
        yield "    random_seed: 1"
        if self.parameters:
            yield "    parameters:"
            yield from (
                f"      {_key(key)}: {_json(value)}" for key, value in self.parameters.items()
            )
        if self.inputs is not None:
            yield from _listed("    input", self.inputs)
        if self.mocks:
            yield "    mocks:"
        for label, views in self.mocks.items():
            yield f"      {_key(label)}:" if views else f"      {_key(label)}: []"
            for view, documents in views.items():
                yield from _listed(f"        {_key(view)}", documents)
        yield "    expect:"
        yield from self.expect or ["      errors: {count: 0}"]


def record(
    pipeline: str,
    registry: Registry,
    *,
    name: str = "recorded",
    parameters: Mapping[str, str],
    documents: list[Any] | None,
) -> Recording:
    """Run a pipeline, and write what happened as a case of the test file beside it.

    Raises ConfigurationError if the pipeline or the test file cannot be used.
    """
    spec = load(pipeline)
    path = Path(pipeline)
    tests = path.with_name(f"{path.stem}{SUFFIXES[0]}")
    before = _text_before(tests, name)
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    draft = _Draft(name, now, parameters, documents)
    real = _prepared(draft, str(tests), path.name, registry)
    assert real.plan is not None  # _prepared looked
    recorder = _completed(run_plan_of(real, real.plan, None)).recorder
    first = _mocked(draft, real.plan, recorder, str(tests), path.name, registry)
    notes = list(_expect(draft, first, spec, registry, str(tests), path.name))
    text = before + "\n".join(draft.lines()) + "\n"
    tests.write_text(text, encoding="utf-8")
    return Recording(str(tests), name, text, tuple(notes))


def _text_before(tests: Path, name: str) -> str:
    """What is in the test file before the new case."""
    if not tests.exists():
        return "cases:\n"
    text = tests.read_text(encoding="utf-8")
    root = compose_text(text, str(tests))[0].root
    keys = list(root.entries) if isinstance(root, Table) else []
    if not isinstance(root, Table) or not keys or keys[-1] != "cases":
        raise ConfigurationError(f"'{tests}' must end with 'cases:', so that one can be added")
    cases = root.entries["cases"].value
    if isinstance(cases, Table) and name in cases.entries:
        raise ConfigurationError(f"'{tests}' has a case {name!r} already; choose another --name")
    return f"{text.rstrip()}\n\n"


def _prepared(draft: _Draft, path: str, pipeline: str, registry: Registry) -> Prepared:
    text = f"pipeline: {_json(pipeline)}\ncases:\n" + "\n".join(draft.lines())
    [prepared], problems = _single(prepare(parse_tests(text, path), registry))
    errors = [each for each in prepared.found if each.severity == "error"]
    if problems or prepared.plan is None:
        raise InvalidPipelineError(problems or errors)
    return prepared


def _single(found: tuple[list[Prepared], list[Any]]) -> tuple[list[Prepared], list[Any]]:
    cases, problems = found
    if not cases:
        raise InvalidPipelineError(problems)
    return cases, problems


def _completed(run: Run) -> Run:
    if run.failure is not None:
        raise ConfigurationError(f"the run failed, so there is nothing to record\n{run.failure}")
    return run


def _mocked(
    draft: _Draft, plan: Plan, recorder: Recorder, path: str, pipeline: str, registry: Registry
) -> Run:
    """A run with mocks for all snaps that act on the outside, which are added to the draft."""
    while True:
        prepared = _prepared(draft, path, pipeline, registry)
        assert prepared.plan is not None  # _prepared looked
        guard = guard_of(prepared, prepared.plan)
        run = None if guard.refusals else run_plan_of(prepared, prepared.plan, guard)
        labels = {refusal.label.partition("/")[0] for refusal in guard.refusals}
        if run is not None and not labels:
            return _completed(run)
        for label in sorted(labels - draft.mocks.keys()):
            draft.mocks[label] = dict(_outputs(label, plan, recorder))


def _outputs(label: str, plan: Plan, recorder: Recorder) -> Iterator[tuple[str, list[Any]]]:
    """What a snap put out, by view, as far as a link uses it."""
    snap = plan.snap(label)
    linked = plan.routes.linked.get(label, frozenset())
    for view in (*snap.outputs, ERROR_VIEW):
        items = recorder.left.get(Port(label, view.name), [])
        if view.name in linked:
            yield view.name, _as_given(items)


def _as_given(items: Sequence[Item]) -> list[Any]:
    documents = comparable(items)
    if not items or not isinstance(items[0], StreamStart):
        return documents
    for document in documents:
        document["header"].pop("content-location", None)  # a path on this machine
    return documents


def _expect(
    draft: _Draft,
    first: Run,
    spec: PipelineSpec,
    registry: Registry,
    path: str,
    pipeline: str,
) -> Iterator[str]:
    """Add what the run did to the draft; returns notes on what differs in a second one."""
    prepared = _prepared(draft, path, pipeline, registry)
    assert prepared.plan is not None  # _prepared looked
    second = _completed(run_plan_of(prepared, prepared.plan, guard_of(prepared, prepared.plan)))
    for target, get in _targets(prepared.plan, draft.mocks):
        one, other = comparable(get(first.recorder)), comparable(get(second.recorder))
        lines, note = _expectation(one, other)
        if note:
            yield f"{target}: {note}"
        draft.expect += [f"      {_key(target)}:", *(f"        {line}" for line in lines)]
    if not draft.expect:
        raise ConfigurationError("nothing left the pipeline or reached its end; nothing to expect")


def _targets(plan: Plan, mocks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is expected: what left through open outputs, and what reached mocks at the end."""
    starts = {link.source.label for link in plan.links}
    for port in plan.open_outputs:
        if port.label not in mocks:
            yield str(port), lambda recorder, port=port: recorder.left.get(port, [])
    for snap in plan.snaps:
        if snap.label in mocks and snap.inputs and snap.label not in starts:
            label = snap.label
            target = label if label not in _RESERVED else f"{label}.{snap.inputs[0].name}"
            yield target, lambda recorder, label=label: recorder.arrivals.get(label, [])


def _expectation(one: list[Any], other: list[Any]) -> tuple[list[str], str]:
    """The lines of an expectation that both runs meet, and what differs between them."""
    equals = list(_listed("equals", one))
    if not compare_all(one, other, same, unordered=False):
        return equals, ""
    if not compare_all(one, other, same, unordered=True):
        note = "the order differed between two runs"
        return [*equals, f"unordered: true  # {note}"], note
    if len(one) == len(other):
        pairs = zip(one, other, strict=True)
        found = (path for pair in pairs for path in differing_paths(*pair, "$"))
        paths = list(dict.fromkeys(_INDEX.sub("[*]", path).replace("$.", "$", 1) for path in found))
        note = f"differed between two runs: {', '.join(paths)}"
        return [*equals, f"ignore: {_json(paths)}  # differed between two runs"], note
    note = f"two runs gave {len(one)} and {len(other)} documents"
    return [f"contains: []  # {note}"], note


def _listed(key: str, documents: Sequence[Any]) -> Iterator[str]:
    """A list, with a line for each document."""
    if not documents:
        yield f"{key}: []"
        return
    yield f"{key}:"
    indent = " " * (len(key) - len(key.lstrip()))
    yield from (f"{indent}  - {_json(document)}" for document in documents)


def _json(value: Any) -> str:
    """JSON, which is YAML as well, without characters that a reader of YAML refuses."""
    text = to_json(value, "the value").decode()
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _key(text: str) -> str:
    is_plain = _PLAIN_KEY.fullmatch(text) and text not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)
