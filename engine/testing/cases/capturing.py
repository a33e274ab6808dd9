"""Write a case from a run: what it got from the outside becomes mocks, what it did, expectations.

The pipeline runs once as it is. Then the case runs twice with the mocks. What differs between these
two runs is marked: it is not compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from engine.documents import Item, StreamStart
from engine.errors import ConfigurationError, InvalidPipelineError
from engine.pipeline.case_files import SUFFIXES
from engine.pipeline.load import compose_text
from engine.pipeline.nodes import Table
from engine.plan.plan import Plan, Port
from engine.registry import Registry
from engine.run.files.complete import write_complete
from engine.run.secrets import Secrets
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
    path = Path(pipeline)
    tests = path.with_name(f"{path.stem}{SUFFIXES[0]}")
    before = _text_before(tests, name)
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    draft = _Draft(name, now, parameters, documents)
    capture = _Capture(draft, str(tests), path.name, registry)
    first, second = capture.two_runs()
    notes = tuple(capture.expect(first, second))
    text = before + "\n".join(draft.lines()) + "\n"
    write_complete(tests, text.encode())
    return Recording(str(tests), name, text, notes)


class _Capture:
    """Completes the draft of a case for the test file `path` of a pipeline beside it."""

    def __init__(self, draft: _Draft, path: str, pipeline: str, registry: Registry) -> None:
        self._draft = draft
        self._path = path
        self._pipeline = pipeline
        self._registry = registry
        self._plan, prepared = self._prepared()
        self._real = _completed(run_plan_of(prepared, self._plan, None)).recorder
        self._secrets = self._real.secrets.without(draft.parameters.values())

    def two_runs(self) -> tuple[Recorder, Recorder]:
        """Two runs with mocks for all snaps that act on the outside; the draft gets the mocks."""
        while True:
            plan, prepared = self._prepared()
            guard = guard_of(prepared, plan)
            run = None if guard.refusals else run_plan_of(prepared, plan, guard)
            labels = {refusal.label.partition("/")[0] for refusal in guard.refusals}
            if run is not None and not labels - self._draft.mocks.keys():
                again = run_plan_of(prepared, plan, guard)
                return _completed(run).recorder, _completed(again).recorder
            for label in sorted(labels):
                self._draft.mocks[label] = dict(self._outputs(label))

    def expect(self, first: Recorder, second: Recorder) -> Iterator[str]:
        """Add what happened in the first run to the draft; notes on what differs in the second."""
        for target, get in self._targets():
            one, other = comparable(get(first)), comparable(get(second))
            lines, notes = _expectation(one, other, self._secrets)
            self._draft.expect += [f"      {_key(target)}:", *(f"        {line}" for line in lines)]
            yield from (f"{target}: {note}" for note in notes)
        if not self._draft.expect:
            raise ConfigurationError("nothing leaves the pipeline or reaches a mock at its end")

    def _prepared(self) -> tuple[Plan, Prepared]:
        text = f"pipeline: {_json(self._pipeline)}\ncases:\n" + "\n".join(self._draft.lines())
        cases, problems = prepare(parse_tests(text, self._path), self._registry)
        for prepared in cases:
            if prepared.plan is not None and not problems:
                return prepared.plan, prepared
            problems += [each for each in prepared.found if each.severity == "error"]
        raise InvalidPipelineError(problems)

    def _outputs(self, label: str) -> Iterator[tuple[str, list[Any]]]:
        """What a snap put out, by view, as far as a link uses it."""
        linked = self._plan.routes.linked.get(label, frozenset())
        for view in (*self._plan.snap(label).outputs, ERROR_VIEW):
            if view.name in linked:
                given = _as_given(self._real.left.get(Port(label, view.name), []))
                yield view.name, self._secrets.mask(given)

    def _targets(self) -> Iterator[tuple[str, Callable[[Recorder], Sequence[Item]]]]:
        """What is expected: what left open outputs, and what reached mocks at the end."""
        starts = {link.source.label for link in self._plan.links}
        for port in self._plan.open_outputs:
            if port.label not in self._draft.mocks:
                yield str(port), partial(_left, port)
        for snap in self._plan.snaps:
            if snap.label in self._draft.mocks and snap.inputs and snap.label not in starts:
                is_taken = snap.label in _RESERVED
                target = f"{snap.label}.{snap.inputs[0].name}" if is_taken else snap.label
                yield target, partial(_arrived, snap.label)


def _left(port: Port, recorder: Recorder) -> Sequence[Item]:
    return recorder.left.get(port, [])


def _arrived(label: str, recorder: Recorder) -> Sequence[Item]:
    return recorder.arrivals.get(label, [])


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


def _completed(run: Run) -> Run:
    if run.failure is not None:
        raise ConfigurationError(f"the run failed, so there is nothing to record\n{run.failure}")
    return run


def _as_given(items: Sequence[Item]) -> list[Any]:
    documents = comparable(items)
    if not items or not isinstance(items[0], StreamStart):
        return documents
    for document in documents:
        document["header"].pop("content-location", None)  # a path on this machine
    return documents


def _expectation(one: list[Any], other: list[Any], secrets: Secrets) -> tuple[list[str], list[str]]:
    """The lines of an expectation that both runs meet, and notes on what it does not compare."""
    if len(one) != len(other):
        note = f"two runs gave {len(one)} and {len(other)} documents"
        return [f"contains: []  # {note}"], [note]
    safe = secrets.mask(one)
    lines, notes = list(_listed("equals", safe)), []
    ignored = {"held secrets": _differing(one, safe)}
    if compare_all(one, other, same, unordered=False):
        if compare_all(one, other, same, unordered=True):
            ignored["differed between two runs"] = _differing(one, other)
        else:
            notes.append("the order differed between two runs")
            lines.append(f"unordered: true  # {notes[0]}")
    reasons = [reason for reason, paths in ignored.items() if paths]
    notes += [f"{reason}: {', '.join(ignored[reason])}" for reason in reasons]
    if reasons:
        paths = [path for reason in reasons for path in ignored[reason]]
        lines.append(f"ignore: {_json(paths)}  # {' or '.join(reasons)}")
    return lines, notes


def _differing(one: list[Any], other: list[Any]) -> list[str]:
    """The paths at which documents of the two lists differ, as `ignore` takes them."""
    pairs = zip(one, other, strict=True)
    found = (path for pair in pairs for path in differing_paths(*pair, "$"))
    return list(dict.fromkeys(_INDEX.sub("[*]", path).replace("$.", "$", 1) for path in found))


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
