"""Read a test file into cases, with all its mistakes as problems, as for a pipeline file."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import ConfigurationError, Problem
from engine.expressions import analyse, analyse_path, check_timezone
from engine.locations import Location
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Items, Node, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.http import HttpResponse
from engine.sdk.settings import Settings, nearest_names, settings_of, shown
from engine.testing.cases.case import (
    Case,
    Exchange,
    Expectation,
    FileExpectation,
    Given,
    MockedSnap,
    TestFile,
)
from engine.testing.cases.documents import body_of, encoded_json
from engine.testing.cases.finding import SUFFIXES
from engine.testing.cases.settings import (
    CaseSettings,
    ExchangeSettings,
    ExpectationSettings,
    FileExpectationSettings,
    FileSettings,
    MockSettings,
    RequestSettings,
)

S = TypeVar("S", bound=Settings)
_FILE_KEYS = ("text", "json", "base64", "file")
_OF_THE_RUN = ("failure", "diagnostics", "files")
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


class _TestReader:
    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.folder = Path(source.text.path).parent

    def pipeline(self) -> str:
        named = self._value(("pipeline",))
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
            self._report("wrong-type", (), f"a test file must be a map, not {_kind(root)}")
            return
        if self._settings(FileSettings, ()) is None and not isinstance(
            self._value(("cases",)), dict
        ):
            return
        cases = self._table(("cases",))
        if not cases:
            message, hint = "the file has no cases", "add one to 'cases:'"
            self._report("missing-setting", ("cases",), message, hint, at_key=True)
        for name in cases:
            yield self._case(name)

    def _case(self, name: str) -> Case:
        path: KeyPath = ("cases", name)
        given = self._partly(CaseSettings, path)
        self._check_expects(name, path)
        files = [
            (key, self._content((*path, "files", key))) for key in self._table((*path, "files"))
        ]
        expect = self._table((*path, "expect"))
        targets = [key for key in expect if key not in _OF_THE_RUN]
        return Case(
            name=name,
            path=path,
            where=self.source.where_key(path),
            parameters=self._parameters((*path, "parameters")),
            now=self._moment((*path, "now"), given.get("now")),
            timezone=self._timezone((*path, "timezone"), given.get("timezone", "UTC")),
            random_seed=given.get("random_seed"),
            inputs=self._inputs((*path, "input")),
            files={key: content for key, content in files if content is not None},
            mocks={
                label: self._mock((*path, "mocks", label))
                for label in self._table((*path, "mocks"))
            },
            allow=given.get("allow") or (),
            expectations=tuple(self._expectation((*path, "expect", key)) for key in targets),
            written=tuple(
                self._file_expectation((*path, "expect", "files", name))
                for name in self._table((*path, "expect", "files"))
            ),
            failure=self._failure((*path, "expect", "failure")),
            diagnostics=self._codes((*path, "expect", "diagnostics")),
        )

    def _check_expects(self, name: str, path: KeyPath) -> None:
        """Report a case that would pass whatever the pipeline does."""
        case = self._value(path)
        if not isinstance(case, dict) or case.get("expect"):
            return
        hint = "add what must come of it, such as 'expect: {output: [...]}'"
        if "expect" not in case and (near := nearest_names("expect", case)[:1]):
            hint = f"did you mean 'expect' instead of {near[0]!r}?"
        message = f"the case {shown(name)} expects nothing"
        self._report("missing-setting", path, message, hint, at_key=True)

    # What is given

    def _parameters(self, path: KeyPath) -> dict[str, str]:
        """The values as written, so that `007` stays `007`; null is no value."""
        values = {}
        for name, node in self._table(path).items():
            if isinstance(node, Scalar):
                if node.value is not None:
                    values[name] = node.text
            else:
                message = f"the parameter {shown(name)} must be a string, not {_kind(node)}"
                self._report("wrong-type", (*path, name), message, "write JSON in quotes: '[1, 2]'")
        return values

    def _moment(self, path: KeyPath, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            hint = "write it as 2026-01-31T12:00:00Z"
            self._report("bad-setting", path, f"{shown(text)} is not a date and time", hint)
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _timezone(self, path: KeyPath, name: str) -> str:
        try:
            check_timezone(name or "UTC")
        except ConfigurationError as error:
            message, _, hint = str(error).partition("; ")
            self._report("bad-setting", path, message, hint)
        return name or "UTC"

    def _inputs(self, path: KeyPath) -> dict[str, Given]:
        value = self._value(path)
        if value is None:
            return {}
        if isinstance(value, dict) and not value.keys() & {"file", "csv"}:
            return {view: self._given((*path, view)) for view in value}
        return {"": self._given(path)}

    def _given(self, path: KeyPath) -> Given:
        value = self._value(path)
        if isinstance(value, list):
            return Given(path, tuple(value))
        if isinstance(value, dict) and len(value) == 1:
            ((key, named),) = value.items()
            if key == "file" and isinstance(named, str):
                return self._given_file((*path, "file"), named)
            if key == "csv" and isinstance(named, str):
                return Given(path, csv=named)
        hint = "write a list of documents, {file: NAME} or {csv: TEXT}"
        message = f"{shown(str(path[-1]))} must be documents, not {_kind(self._node(path))}"
        self._report("wrong-type", path, message, hint)
        return Given(path)

    def _given_file(self, path: KeyPath, name: str) -> Given:
        file = self.folder / name
        if not file.is_file():
            self._report("missing-file", path, f"there is no file {shown(str(file))}")
            return Given(path)
        return Given(path, file=str(file))

    def _content(self, path: KeyPath) -> bytes | None:
        """The content of a file; None if there is a mistake."""
        value = self._value(path)
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, list):
            return encoded_json(value)
        if isinstance(value, dict) and len(value) == 1 and (key := next(iter(value))) in _FILE_KEYS:
            inner, at = value[key], (*path, key)
            if key == "json":
                return encoded_json(inner)
            if isinstance(inner, str):
                return self._named_content(key, at, inner)
        hint = "write its text, or a map with one of text, json, base64 and file"
        message = f"{shown(str(path[-1]))} must be the content of a file, not "
        self._report("wrong-type", path, f"{message}{_kind(self._node(path))}", hint)
        return None

    def _named_content(self, key: str, path: KeyPath, text: str) -> bytes | None:
        if key == "text":
            return text.encode()
        if key == "file":
            given = self._given_file(path, text)
            return Path(given.file).read_bytes() if given.file else None
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            self._report("bad-setting", path, "'base64' is not valid Base64")
            return None

    # Mocks

    def _mock(self, path: KeyPath) -> MockedSnap:
        value = self._value(path)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            return MockedSnap(path, {"": self._given(path)})
        if not value.keys() & set(settings_of(MockSettings)):
            return MockedSnap(path, {view: self._given((*path, view)) for view in value})
        if len(value) > 1:
            message = f"the mock of {shown(str(path[-1]))} has several keys: {', '.join(value)}"
            hint = "give documents per view, or one of each, fails and http"
            self._report("bad-setting", path, message, hint, at_key=True)
        given = self._partly(MockSettings, path)
        exchanges = given.get("http")
        return MockedSnap(
            path,
            each=given.get("each") or (),
            fails=given.get("fails") or "",
            exchanges=None
            if exchanges is None
            else tuple(self._exchanges((*path, "http"), len(exchanges))),
        )

    def _exchanges(self, path: KeyPath, count: int) -> Iterator[Exchange]:
        for place in range(count):
            at: KeyPath = (*path, place)
            exchange = self._settings(ExchangeSettings, at)
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
        value = self._value(path)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            return Expectation(str(path[-1]), path, equals=self._given(path))
        return self._checks(path, self._partly(ExpectationSettings, path))

    def _checks(self, path: KeyPath, given: Mapping[str, Any]) -> Expectation:
        documents = {
            key: self._given((*path, key))
            for key in ("equals", "subset", "contains")
            if self._value((*path, key)) is not None
        }
        expressions, ignored = given.get("expressions") or (), given.get("ignore") or ()
        for place, text in enumerate(expressions):
            self._check_text((*path, "expressions", place), text, analyse)
        for place, text in enumerate(ignored):
            self._check_text((*path, "ignore", place), text, analyse_path)
        count, snapshot = given.get("count"), given.get("snapshot") or ""
        known = set(settings_of(FileExpectationSettings))
        is_empty = not (documents or expressions or snapshot or count is not None)
        if is_empty and self._table(path).keys() <= known:
            message = f"the expectation {shown(str(path[-1]))} says nothing"
            hint = "add one of equals, subset, contains, count, expressions and snapshot"
            self._report("missing-setting", path, message, hint, at_key=True)
        if count is not None and count < 0:
            self._report("bad-setting", (*path, "count"), "'count' must not be negative")
        if snapshot and not (self.folder / snapshot).parent.is_dir():
            message = f"there is no folder for the snapshot {shown(snapshot)}"
            self._report("missing-file", (*path, "snapshot"), message, "create it")
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

    def _file_expectation(self, path: KeyPath) -> FileExpectation:
        value, name = self._value(path), str(path[-1])
        if isinstance(value, str):
            return FileExpectation(name, path, text=value)
        if not isinstance(value, dict) or value.keys() & {"file", "csv"}:
            expected = Expectation(name, path, equals=self._given(path))
            return FileExpectation(name, path, documents=expected)
        given = self._partly(FileExpectationSettings, path)
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
        value = self._value(path)
        if value is None or (isinstance(value, str) and value):
            return value
        hint = "write a part of the message with which the run fails"
        message = f"'failure' must be a string, not {_kind(self._node(path))}"
        self._report("wrong-type", path, message, hint)
        return None

    def _codes(self, path: KeyPath) -> tuple[str, ...] | None:
        value = self._value(path)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(code, str) for code in value):
            return tuple(value)
        hint = "write the codes that 'engine validate' reports, such as [unknown-label]"
        message = f"'diagnostics' must be a list of codes, not {_kind(self._node(path))}"
        self._report("wrong-type", path, message, hint)
        return None

    def _check_text(self, path: KeyPath, text: str, analyse: Callable[[str], Any]) -> None:
        for error in analyse(text).errors:
            where = self.source.position(path, error.offset, error.length)
            self.problems.append(Problem("expression-syntax", where, error.message, error.hint))

    # Nodes and problems

    def _settings(self, cls: type[S], path: KeyPath) -> S | None:
        """The values at the path as settings, or None; mistakes are reported."""
        settings, issues = convert(cls, self._value(path))
        for issue in issues:
            at = (*path, *issue.path)
            is_key = issue.at_key or issue.code == "missing-setting"
            self._report(issue.code, at, issue.message, issue.hint, at_key=is_key)
        return settings  # type: ignore[return-value]  # of this class

    def _partly(self, cls: type[Settings], path: KeyPath) -> dict[str, Any]:
        """The values that have no mistake, converted; mistakes are reported."""
        self._settings(cls, path)
        value = self._value(path)
        return convert_partly(cls, value) if isinstance(value, dict) else {}

    def _node(self, path: KeyPath) -> Node | None:
        node = self.source.root
        for step in path:
            if isinstance(node, Table) and str(step) in node.entries:
                node = node.entries[str(step)].value
            elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return None
        return node

    def _value(self, path: KeyPath) -> Any:
        node = self._node(path)
        return None if node is None else plain(node)

    def _table(self, path: KeyPath) -> dict[str, Node]:
        node = self._node(path)
        if not isinstance(node, Table):
            return {}
        return {key: entry.value for key, entry in node.entries.items()}

    def _report(
        self, code: str, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        where = self.source.where_key(path) if at_key else self.source.where(path)
        self.problems.append(Problem(code, where, message, hint))


def _body_to_match(request: RequestSettings) -> Any:
    return request.json if request.text is None else request.text


def _headers(given: Mapping[str, str], *, is_json: bool) -> tuple[tuple[str, str], ...]:
    headers = tuple(given.items())
    if is_json and not any(name.lower() == "content-type" for name, _ in headers):
        return (*headers, ("content-type", "application/json"))
    return headers


def _kind(node: Node | None) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.value is None else shown(node.text)
    return "a list" if isinstance(node, Items) else "a map"
