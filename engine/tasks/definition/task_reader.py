"""Read and check the values of a task file, one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.pipeline.environment import MISSPELT_VARIABLE, is_written_out
from engine.pipeline.nodes import Entry, Items, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.quantities import parse_duration, parse_size
from engine.sdk.settings import Issue, Settings, shown
from engine.tasks.definition.access_reader import AccessReader
from engine.tasks.definition.applicability import check_applicability
from engine.tasks.definition.body_schemas import check_schemas
from engine.tasks.definition.environment_values import EnvironmentValues
from engine.tasks.definition.path_beside import path_beside
from engine.tasks.definition.problem_collector import ProblemCollector
from engine.tasks.definition.rate import parse_rate
from engine.tasks.definition.redaction import SECRET_KEYS
from engine.tasks.definition.settings import (
    RANGES,
    LimitSettings,
    ScheduleSettings,
    TaskSettings,
    TimeoutSettings,
)
from engine.tasks.definition.task import Limits, Schedule, Task, TaskType, Timeouts

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "body": parse_size,
    "results_size": parse_size,
    "rate_per_address": parse_rate,
    "rate_per_token": parse_rate,
}
_PLAIN = (
    "instances", "filtered_status", "status_from_document", "allow_outside", "response", "methods",
    "input_schema", "output_schema",
)  # fmt: skip


class TaskReader:
    """Reads one file into `problems`; the other public attributes are those of TaskFile."""

    def __init__(
        self,
        source: Source,
        environment: Mapping[str, str] | None,
        problems: list[Problem],
        parameters: Mapping[str, str],
    ) -> None:
        self.source = source
        self.problems = problems
        self.collector = ProblemCollector(source, problems)
        self.environment_values = EnvironmentValues(self.collector, environment)
        self.parameters = parameters
        self.type: TaskType | None = None
        self.pipeline = ""
        self.named: tuple[str, ...] | None = None
        self.empty: set[str] = set()
        self.written_out: set[str] = set()

    def task(self) -> Task | None:
        """The task, or None if there is any error."""
        values = self._values()
        if values is None:
            return None
        issues = convert(TaskSettings, values)[1]
        for issue in issues:
            self._report_issue(issue)
        given = _given(TaskSettings, values)
        kind = self.type = given.get("type")
        self.named = self._named(issues)
        fields = {
            "name": self._name(given.get("name")),
            "pipeline": self._pipeline(given.get("pipeline")),
            "parameters": self._parameters(values.get("parameters")),
            **AccessReader(self.collector, self.environment_values, kind).read(given),
            "timeouts": self._timeouts(values.get("timeouts")),
            "limits": self._limits(values.get("limits")),
            "schedule": self._schedule(values.get("schedule")),
            "overlap": given.get("overlap", kind != "scheduled"),
        }
        for name in _PLAIN:
            if name in given:
                fields[name] = given[name]
                if name in RANGES:
                    self._check_range((name,), given[name])
        check_schemas(given, self.collector)
        if kind is not None:
            check_applicability(kind, values, self.collector)
        if kind is None or any(problem.severity == "error" for problem in self.problems):
            return None
        return Task(type=kind, path=self.source.text.path, **fields)

    def _values(self) -> dict[str, Any] | None:
        """Plain values; tokens and parameters as written, so that `007` stays `007`."""
        root = self.source.root
        if not isinstance(root, Table):
            kind = "a list" if isinstance(root, Items) else "a single value"
            hint = "a task needs at least 'type:' and 'pipeline:'"
            self.collector.report("wrong-type", (), f"a task file must be a map, not {kind}", hint)
            return None
        values = {key: plain(entry.value) for key, entry in root.entries.items()}
        for key in SECRET_KEYS:
            entry = root.entries.get(key)
            if entry is not None:
                values[key] = self._strings(entry, (key,))
        return values

    def _named(self, issues: Iterable[Issue]) -> tuple[str, ...] | None:
        if any("'parameters'" in issue.hint for issue in issues):  # it is there, but misspelt
            return None
        entry = self.collector.keys().get("parameters")
        if entry is None or (isinstance(entry.value, Scalar) and entry.value.value is None):
            return tuple(self.parameters)
        if not isinstance(entry.value, Table):
            return None
        children = entry.value.entries.items()
        named = (name for name, child in children if plain(child.value) is not None)
        return tuple(dict.fromkeys((*named, *self.parameters)))

    def _strings(self, entry: Entry, path: KeyPath) -> Any:
        node = entry.value
        if isinstance(node, Scalar):
            if path != ("parameters",) or node.value is None:
                return None if node.value is None else node.text
        elif isinstance(node, Table) and path == ("parameters",):
            texts = {
                name: self._strings(child, (*path, name)) for name, child in node.entries.items()
            }
            return {name: text for name, text in texts.items() if text is not None}
        expected = "a map" if path == ("parameters",) else "a string"
        self.collector.report("wrong-type", path, f"{shown(str(path[-1]))} must be {expected}")
        return None

    def _name(self, name: str | None) -> str:
        text = Path(self.source.text.path).stem if name is None else name
        if not NAME.fullmatch(text):
            message = f"{shown(text)} is not a valid name for a task"
            hint = "use up to 100 letters, digits, - and _; the name is part of the URL"
            if name is None:
                message = f"the file's name {message}"
                hint = f"add 'name:'; {hint}"
            self.collector.report("bad-name", ("name",), message, hint)
        return text

    def _pipeline(self, name: str | None) -> str:
        if name:
            self.pipeline = path_beside(self.source.text.path, name)
        elif name is not None:
            hint = "give the path of a pipeline file"
            self.collector.report("missing-setting", ("pipeline",), "'pipeline' is empty", hint)
        return self.pipeline

    def _parameters(self, texts: Mapping[str, str] | None) -> dict[str, str]:
        values = dict(self.parameters)
        for name, text in (texts or {}).items():
            if name not in values:
                values[name] = self._parameter(name, text)
            if is_written_out(text):
                self.written_out.add(name)
        return values

    def _parameter(self, name: str, text: str) -> str:
        path = ("parameters", name)
        if MISSPELT_VARIABLE.search(text):
            whole = MISSPELT_VARIABLE.fullmatch(text.strip())
            self.environment_values.report_misspelt(path, text, "error" if whole else "warning")
        known = len(self.problems)
        value = self.environment_values.filled(path, text)
        if not value and len(self.problems) == known:
            self.empty.add(name)
        return value

    def _timeouts(self, values: Any) -> Timeouts:
        given = _given(TimeoutSettings, values)
        return Timeouts(
            **{
                name: seconds
                for name, value in given.items()
                if (seconds := self.collector.parsed(("timeouts", name), value, parse_duration))
                is not None
            }
        )

    def _limits(self, values: Any) -> Limits:
        given = _given(LimitSettings, values)
        for name, value in list(given.items()):
            if name in _PARSERS:
                given[name] = self.collector.parsed(("limits", name), value, _PARSERS[name])
            else:
                self._check_range(("limits", name), value)
        keys = self.collector.keys()
        guards = ("bearer_token", "tokens", "token_file", "jwt")
        if given.get("rate_per_token") and not any(key in keys for key in guards):
            message = "'rate_per_token' does nothing without a 'bearer_token' or other tokens"
            hint = "add 'bearer_token', 'tokens' or 'jwt', or use 'rate_per_address'"
            self.collector.report("bad-setting", ("limits", "rate_per_token"), message, hint)
        return Limits(**{name: value for name, value in given.items() if value is not None})

    def _schedule(self, values: Any) -> Schedule | None:
        if not isinstance(values, Mapping):
            return None
        from engine.tasks.definition.schedules import read_schedule  # needs a library for cron

        return read_schedule(_given(ScheduleSettings, values), values, self.collector)

    def _check_range(self, path: KeyPath, value: Any) -> None:
        least, most = RANGES.get(str(path[-1]), (value, value))
        if not least <= value <= most:
            message = f"{str(path[-1])!r} must be from {least:,} to {most:,}, not {value}"
            self.collector.report("bad-setting", path, message)

    def _report_issue(self, issue: Issue) -> None:
        if issue.path and issue.path[0] in SECRET_KEYS:  # reported by _strings
            return
        hint = issue.hint
        if issue.path == ("allowed_origins",):
            origin = plain(self.collector.keys()["allowed_origins"].value)
            hint = f'write it as a list: ["{origin}"]' if isinstance(origin, str) else hint
        message = issue.message
        if issue.path and issue.path[0] == "tokens":  # the value may be a token
            message = message.partition(", got ")[0]
        self.collector.report(issue.code, issue.path, message, hint, at_key=issue.at_key)


def _given(cls: type[Settings], values: Any) -> dict[str, Any]:
    """The values that are given and could be converted."""
    partly = convert_partly(cls, values) if isinstance(values, Mapping) else {}
    return {name: value for name, value in partly.items() if value is not None}
