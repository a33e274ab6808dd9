"""Read a test file into cases, with all its mistakes as problems, as for a pipeline file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import ConfigurationError, Problem
from engine.expressions import analyse, analyse_path, check_timezone
from engine.locations import Location
from engine.pipeline.case_files import SUFFIXES
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Scalar, Table
from engine.pipeline.source import KeyPath
from engine.sdk.http import HttpResponse
from engine.sdk.settings import nearest_names, settings_of, shown
from engine.testing.cases.case import (
    Case,
    Exchange,
    Expectation,
    FileExpectation,
    Given,
    HostedTask,
    MockedSnap,
    SentRequest,
    TestFile,
)
from engine.testing.cases.documents import body_of
from engine.testing.cases.settings import (
    CaseSettings,
    ExchangeSettings,
    ExpectationSettings,
    FileExpectationSettings,
    FileSettings,
    HostedTaskSettings,
    MockSettings,
    RequestAndResponseSettings,
    RequestSettings,
)
from engine.testing.cases.source_reader import SourceReader, kind_of
from engine.testing.cases.task_reading import parameters_of, read_task

OF_THE_RUN = ("failure", "diagnostics", "files")
"""Keys of `expect` that are neither labels nor views, besides `output` and `errors`."""


def load_tests(path: str | Path) -> TestFile:
    """The cases of a file. Raises ConfigurationError if it cannot be opened."""
    return parse_tests(read(path, "test file"), str(path))


def parse_tests(text: str | bytes, path: str = "pipeline.test.yaml") -> TestFile:
    """The cases in a YAML text; all mistakes are in `problems`. Raises nothing."""
    source, problems = compose_text(text, path)
    if source.root is None:
        hint = "a test file needs at least 'cases:'"
        empty = Problem("empty-file", Location(path), "the file contains no cases", hint)
        return TestFile(path, source, problems=tuple(problems or [empty]))
    reader = _TestReader(source, problems)
    cases = tuple(reader.cases())
    return TestFile(path, source, reader.pipeline(), cases, tuple(reader.problems))


class _TestReader(SourceReader):
    def pipeline(self) -> str:
        named = self.value(("pipeline",))
        if isinstance(named, str) and named:
            return str(self.folder / named)
        path = Path(self.source.text.path)
        end = next((end for end in SUFFIXES if path.name.endswith(end)), path.suffix)
        stem = path.name.removesuffix(end)
        beside = (path.with_name(stem + each) for each in (".yaml", ".yml"))
        return str(next(filter(Path.is_file, beside), path.with_name(f"{stem}.yaml")))

    def cases(self) -> Iterator[Case]:
        root = self.source.root
        if not isinstance(root, Table):
            self.report("wrong-type", (), f"a test file must be a map, not {kind_of(root)}")
            return
        if self.settings(FileSettings, ()) is None and not isinstance(self.value(("cases",)), dict):
            return
        cases = self.table(("cases",))
        if not cases:
            message, hint = "the file has no cases", "add one to 'cases:'"
            self.report("missing-setting", ("cases",), message, hint, at_key=True)
        for name in cases:
            yield self._case(name)

    def _case(self, name: str) -> Case:
        path: KeyPath = ("cases", name)
        given = {} if self.value(path) is None else self.partly(CaseSettings, path)
        self._check_expects(name, path)
        files = [(key, self.content((*path, "files", key))) for key in self.table((*path, "files"))]
        expect = self.table((*path, "expect"))
        targets = [key for key in expect if key not in OF_THE_RUN]
        task = self._task(path)
        return Case(
            name=name,
            path=path,
            where=self.source.where_key(path),
            parameters=self._parameters((*path, "parameters"))
            if task is None
            else task.task.parameters,
            now=self._moment((*path, "now"), given.get("now")),
            timezone=self._timezone((*path, "timezone"), given.get("timezone", "UTC")),
            random_seed=given.get("random_seed"),
            inputs=self._inputs((*path, "input")),
            files={key: content for key, content in files if content is not None},
            mocks={
                label: self._mock((*path, "mocks", label)) for label in self.table((*path, "mocks"))
            },
            allow=given.get("allow") or (),
            expectations=tuple(self._expectation((*path, "expect", key)) for key in targets),
            written=tuple(
                self._file_expectation((*path, "expect", "files", name))
                for name in self.table((*path, "expect", "files"))
            ),
            task=task,
            failure=self._failure((*path, "expect", "failure")),
            diagnostics=self._codes((*path, "expect", "diagnostics")),
        )

    def _check_expects(self, name: str, path: KeyPath) -> None:
        """Report a case that would pass whatever the pipeline does."""
        value = self.value(path)
        case = {} if value is None else value
        if not isinstance(case, dict) or case.get("expect") or case.get("task"):
            return
        hint = "add what must come of it, such as 'expect: {output: [...]}'"
        if "expect" not in case and (near := nearest_names("expect", case)[:1]):
            hint = f"did you mean 'expect' instead of {near[0]!r}?"
        message = f"the case {shown(name)} expects nothing"
        self.report("missing-setting", path, message, hint, at_key=True)

    # What is given

    def _parameters(self, path: KeyPath) -> dict[str, str]:
        """The values as written, so that `007` stays `007`; null is no value."""
        values = {}
        for name, node in self.table(path).items():
            if isinstance(node, Scalar):
                if node.value is not None:
                    values[name] = node.text
            else:
                message = f"the parameter {shown(name)} must be a string, not {kind_of(node)}"
                self.report("wrong-type", (*path, name), message, "write JSON in quotes: '[1, 2]'")
        return values

    def _moment(self, path: KeyPath, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            hint = "write it as 2026-01-31T12:00:00Z"
            self.report("bad-setting", path, f"{shown(text)} is not a date and time", hint)
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _timezone(self, path: KeyPath, name: str) -> str:
        try:
            check_timezone(name or "UTC")
        except ConfigurationError as error:
            message, _, hint = str(error).partition("; ")
            self.report("bad-setting", path, message, hint)
        return name or "UTC"

    def _inputs(self, path: KeyPath) -> dict[str, Given]:
        value = self.value(path)
        if value is None:
            return {}
        if isinstance(value, dict) and not value.keys() & {"file", "csv"}:
            return {view: self.given((*path, view)) for view in value}
        return {"": self.given(path)}

    # Tasks

    def _task(self, case: KeyPath) -> HostedTask | None:
        path: KeyPath = (*case, "task")
        if self.value(path) is None:
            return None
        if self.value((*case, "input")) is not None:
            message = "a case with a task gets its input from the requests"
            self.report("bad-setting", (*case, "input"), message, "remove 'input'", at_key=True)
        task = self.settings(HostedTaskSettings, path)
        if task is None:
            return None
        if not task.requests:
            self.report("missing-setting", (*path, "requests"), "the task gets no request")
        hosted = read_task(self, path, task, self.pipeline())
        if hosted is None:
            return None
        given = self._parameters((*case, "parameters"))
        hosted = msgspec.structs.replace(hosted, parameters={**parameters_of(hosted), **given})
        return HostedTask(
            path,
            hosted,
            tuple(
                self._request((*path, "requests", place), hosted.name, each)
                for place, each in enumerate(task.requests)
            ),
        )

    def _request(self, path: KeyPath, task: str, given: RequestAndResponseSettings) -> SentRequest:
        request, response = given.request, given.response
        if not self.value((*path, "response")):
            message, hint = "the request expects no response", "add its status, json or text"
            self.report("missing-setting", (*path, "response"), message, hint, at_key=True)
        body = body_of(request.json, request.text)
        return SentRequest(
            path,
            task,
            (request.method or ("POST" if body else "GET")).upper(),
            request.path_info,
            request.query,
            _headers(request.headers, is_json=request.json is not None),
            body,
            response.status,
            response.headers,
            response.json,
            response.text,
        )

    # Mocks

    def _mock(self, path: KeyPath) -> MockedSnap:
        value = self.value(path)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            return MockedSnap(path, {"": self.given(path)})
        if not value.keys() & set(settings_of(MockSettings)):
            return MockedSnap(path, {view: self.given((*path, view)) for view in value})
        if len(value) > 1:
            message = f"the mock of {shown(str(path[-1]))} has several keys: {', '.join(value)}"
            hint = "give documents per view, or one of each, fails and http"
            self.report("bad-setting", path, message, hint, at_key=True)
        given = self.partly(MockSettings, path)
        exchanges = given.get("http")
        return MockedSnap(
            path,
            each=tuple(self._answers((*path, "each"))),
            fails=given.get("fails") or "",
            exchanges=None
            if exchanges is None
            else tuple(self._exchanges((*path, "http"), len(exchanges))),
        )

    def _answers(self, path: KeyPath) -> Iterator[tuple[dict[str, Any], ...]]:
        """The documents of each answer."""
        for place, answer in enumerate(self.value(path) or ()):
            documents = answer if isinstance(answer, list) else [] if answer is None else [answer]
            for document in documents:
                if not isinstance(document, dict):
                    message = f"an answer must be a document, a list or null, not {shown(document)}"
                    self.report("wrong-type", (*path, place), message)
            yield tuple(document for document in documents if isinstance(document, dict))

    def _exchanges(self, path: KeyPath, count: int) -> Iterator[Exchange]:
        for place in range(count):
            at: KeyPath = (*path, place)
            exchange = self.settings(ExchangeSettings, at)
            if exchange is None:
                continue
            response = exchange.response
            yield Exchange(
                at,
                exchange.request.method.upper(),
                exchange.request.url,
                exchange.request.headers,
                _body_to_match(exchange.request),
                HttpResponse(
                    response.status,
                    headers=_headers(response.headers, is_json=response.json is not None),
                    body=body_of(response.json, response.text),
                ),
            )

    # Expectations

    def _expectation(self, path: KeyPath) -> Expectation:
        value = self.value(path)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            return Expectation(str(path[-1]), path, equals=self.given(path))
        return self._checks(path, self.partly(ExpectationSettings, path))

    def _checks(self, path: KeyPath, given: Mapping[str, Any]) -> Expectation:
        documents = {
            key: self.given((*path, key))
            for key in ("equals", "subset", "contains")
            if self.value((*path, key)) is not None
        }
        expressions, ignored = given.get("expressions") or (), given.get("ignore") or ()
        for place, text in enumerate(expressions):
            self._check_text((*path, "expressions", place), text, analyse)
        for place, text in enumerate(ignored):
            self._check_text((*path, "ignore", place), text, analyse_path)
        count, snapshot = given.get("count"), given.get("snapshot") or ""
        known = set(settings_of(FileExpectationSettings))
        is_empty = not (documents or expressions or snapshot or count is not None)
        if is_empty and self.table(path).keys() <= known:
            message = f"the expectation {shown(str(path[-1]))} says nothing"
            hint = "add one of equals, subset, contains, count, expressions and snapshot"
            self.report("missing-setting", path, message, hint, at_key=True)
        if count is not None and count < 0:
            self.report("bad-setting", (*path, "count"), "'count' must not be negative")
        self._check_snapshot((*path, "snapshot"), snapshot)
        return Expectation(
            str(path[-1]),
            path,
            **documents,
            unordered=bool(given.get("unordered")),
            count=count,
            expressions=expressions,
            ignore=ignored,
            snapshot=str(self.folder / snapshot) if snapshot else "",
        )

    def _check_snapshot(self, path: KeyPath, name: str) -> None:
        """`--update` writes it, so it must not be another file of the user."""
        if not name:
            return
        if not (self.folder / name).resolve().is_relative_to(self.folder.resolve()):
            message = f"the snapshot {shown(name)} is outside the folder of the test file"
            hint = "name a file in this folder or in a folder below it"
            self.report("bad-setting", path, message, hint)
        elif not name.endswith(".json"):
            message = "a snapshot is written as JSON, so the name of its file must end in .json"
            self.report("bad-setting", path, f"{message}, not {shown(name)}")

    def _file_expectation(self, path: KeyPath) -> FileExpectation:
        value, name = self.value(path), str(path[-1])
        if isinstance(value, str):
            return FileExpectation(name, path, text=value)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            expected = Expectation(name, path, equals=self.given(path))
            return FileExpectation(name, path, documents=expected)
        given = self.partly(FileExpectationSettings, path)
        text, part, exists = given.get("text"), given.get("contains_text"), given.get("exists")
        of_documents = value.keys() & set(settings_of(ExpectationSettings))
        is_empty = text is None and part is None and exists is None
        return FileExpectation(
            name,
            path,
            text=text,
            contains_text=part,
            exists=exists is not False,
            documents=self._checks(path, given) if of_documents or is_empty else None,
        )

    def _failure(self, path: KeyPath) -> str | None:
        value = self.value(path)
        if value is None or (isinstance(value, str) and value):
            return value
        hint = "write a part of the message with which the run fails"
        message = f"'failure' must be a string, not {kind_of(self.node(path))}"
        if value == "":
            message = "'failure' is empty"
        self.report("wrong-type", path, message, hint)
        return None

    def _codes(self, path: KeyPath) -> tuple[str, ...] | None:
        value = self.value(path)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(code, str) for code in value):
            return tuple(value)
        hint = "write the codes that 'engine validate' reports, such as [unknown-label]"
        message = f"'diagnostics' must be a list of codes, not {kind_of(self.node(path))}"
        self.report("wrong-type", path, message, hint)
        return None

    def _check_text(self, path: KeyPath, text: str, analyse: Callable[[str], Any]) -> None:
        for error in analyse(text).errors:
            where = self.source.position(path, error.offset, error.length)
            self.problems.append(Problem("expression-syntax", where, error.message, error.hint))


def _body_to_match(request: RequestSettings) -> Any:
    return request.json if request.text is None else request.text


def _headers(given: Mapping[str, str], *, is_json: bool) -> tuple[tuple[str, str], ...]:
    headers = tuple(given.items())
    if is_json and not any(name.lower() == "content-type" for name, _ in headers):
        return (*headers, ("content-type", "application/json"))
    return headers
