"""The values of a task file, checked one by one: what fits which type, and what is in range."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

from engine.errors import Problem, Severity
from engine.locations import Location
from engine.pipeline.nodes import Entry, Items, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.run.parameters import fill_in
from engine.sdk.settings import Issue, Settings, convert, convert_partly, shown
from engine.tasks.files.discretion import SECRET_KEYS
from engine.tasks.files.quantities import parse_duration, parse_size
from engine.tasks.files.settings import (
    LimitSettings,
    ScheduleSettings,
    TaskSettings,
    TimeoutSettings,
)
from engine.tasks.files.task import Limits, Schedule, Task, TaskType, Timeouts
from engine.tasks.runs.schedule import check_cron, zone_of

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#]+", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_HTTP: tuple[TaskType, ...] = ("ultra", "triggered")
_FITS: Mapping[str, tuple[TaskType, ...]] = {
    "instances": _HTTP,
    "bearer_token": _HTTP,
    "allowed_origins": _HTTP,
    "limits": _HTTP,
    "filtered_status": ("ultra",),
    "overlap": ("triggered", "scheduled"),
    "status_from_document": ("triggered",),
    "schedule": ("scheduled",),
}
_RANGES: Mapping[str, tuple[int, int]] = {
    "instances": (1, 1000),
    "filtered_status": (200, 599),
    "queue": (1, 1_000_000),
    "in_flight": (1, 1_000_000),
    "failures": (1, 1_000_000),
    "redeliveries": (0, 1000),
    "concurrent": (1, 1000),
}
_FROM_ENVIRONMENT = "${env:"
_ISO_HINT = "write it as 2026-12-24T18:00"


class Reader:
    """Reads one file; `problems` are the mistakes, `pipeline` and `written_out` as in TaskFile."""

    def __init__(
        self,
        source: Source,
        environment: Mapping[str, str] | None,
        problems: list[Problem],
        parameters: Mapping[str, str],
    ) -> None:
        self.source = source
        self.environment = environment
        self.problems = problems
        self.parameters = parameters
        self.pipeline = ""
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
        kind: TaskType | None = given.get("type")
        fields = {
            "name": self._name(given.get("name")),
            "pipeline": self._pipeline(given.get("pipeline")),
            "parameters": self._parameters(values.get("parameters")),
            "bearer_token": self._bearer_token(given.get("bearer_token", "")),
            "allowed_origins": self._origins(given.get("allowed_origins", ())),
            "timeouts": self._timeouts(values.get("timeouts")),
            "limits": self._limits(values.get("limits")),
            "schedule": self._schedule(values.get("schedule")),
            "overlap": given.get("overlap", kind != "scheduled"),
        }
        for name in ("instances", "filtered_status", "status_from_document"):
            if name in given:
                fields[name] = given[name]
                self._check_range((name,), given[name])
        if kind is not None:
            self._check_fit(kind, values)
        if kind is None or any(problem.severity == "error" for problem in self.problems):
            return None
        return Task(type=kind, path=self.source.text.path, **fields)

    def _values(self) -> dict[str, Any] | None:
        """Plain values; of tokens and parameters the text as written, so that `007` stays."""
        root = self.source.root
        if not isinstance(root, Table):
            kind = "a list" if isinstance(root, Items) else "a single value"
            hint = "a task needs at least 'type:' and 'pipeline:'"
            self._report("wrong-type", (), f"a task file must be a map, not {kind}", hint)
            return None
        values = {key: plain(entry.value) for key, entry in root.entries.items()}
        for key in SECRET_KEYS:
            entry = root.entries.get(key)
            if entry is not None:
                values[key] = self._texts(entry, (key,))
        return values

    def _texts(self, entry: Entry, path: KeyPath) -> Any:
        node = entry.value
        if isinstance(node, Scalar):
            if path != ("parameters",) or node.value is None:
                return None if node.value is None else node.text
        elif isinstance(node, Table) and path == ("parameters",):
            texts = {
                name: self._texts(child, (*path, name)) for name, child in node.entries.items()
            }
            return {name: text for name, text in texts.items() if text is not None}
        expected = "a map" if path == ("parameters",) else "a text"
        self._report("wrong-type", path, f"{shown(str(path[-1]))} must be {expected}")
        return None

    def _name(self, name: str | None) -> str:
        text = Path(self.source.text.path).stem if name is None else name
        if not NAME.fullmatch(text):
            message = f"{shown(text)} cannot be the name of a task"
            hint = "a name has letters, digits, - and _, since it is part of a URL"
            if name is None:
                message = f"{message}, which the file's name would be"
                hint = f"add 'name:'; {hint}"
            self._report("bad-name", ("name",), message, hint)
        return text

    def _pipeline(self, name: str | None) -> str:
        if name:
            self.pipeline = _beside(self.source.text.path, name)
        elif name is not None:
            self._report("missing-setting", ("pipeline",), "'pipeline' names no file")
        return self.pipeline

    def _parameters(self, texts: Mapping[str, str] | None) -> dict[str, str]:
        values = dict(self.parameters)
        for name, text in (texts or {}).items():
            if name not in values:
                values[name] = self._filled(("parameters", name), text)
            if _is_written_out(text):
                self.written_out.add(name)
        return values

    def _bearer_token(self, text: str) -> str:
        path = ("bearer_token",)
        token = self._filled(path, text)
        if _is_written_out(text):
            message = "the bearer token stands in the file"
            self._report("secret-in-file", path, message, "use ${env:NAME}", severity="warning")
        if token and self.environment is not None and not _TOKEN.fullmatch(token):
            message = "the bearer token has a character that no HTTP header can carry"
            self._report("bad-setting", path, message, "use letters, digits and signs of ASCII")
        return token

    def _filled(self, path: KeyPath, text: str) -> str:
        what = shown(str(path[-1]))
        if _FROM_ENVIRONMENT in fill_in(text, {})[0]:
            message = f"{what} has '{_FROM_ENVIRONMENT}' without the name of a variable and '}}'"
            self._report("bad-setting", path, message, "a name has letters, digits and _")
            return ""
        if self.environment is None:
            return text
        filled, unset = fill_in(text, self.environment)
        for name in unset:
            message = f"{what} reads the environment variable {name!r}, which is not set"
            self._report("unset-variable", path, message, f"set {name} before you start the engine")
        if text and not filled and not unset and path == ("bearer_token",):
            names = ", ".join(fill_in(text, {})[1])
            message = f"{what} reads the environment variable {names!r}, which is empty"
            hint = "set it, or leave out 'bearer_token' to let everybody in"
            self._report("unset-variable", path, message, hint)
        return filled

    def _origins(self, origins: tuple[str, ...]) -> tuple[str, ...]:
        for index, origin in enumerate(origins):
            if origin is not None and not is_origin(origin):
                message = f"{shown(origin)} is not an origin"
                hint = "write scheme and host such as 'https://example.org', or '*' for every page"
                self._report("bad-setting", ("allowed_origins", index), message, hint)
        return tuple(origin.lower() for origin in origins if origin is not None)

    def _timeouts(self, values: Any) -> Timeouts:
        given = _given(TimeoutSettings, values)
        return Timeouts(
            **{
                name: seconds
                for name, value in given.items()
                if (seconds := self._parsed(("timeouts", name), value, parse_duration)) is not None
            }
        )

    def _limits(self, values: Any) -> Limits:
        given = _given(LimitSettings, values)
        for name, value in given.items():
            self._check_range(("limits", name), value)
        if "body" in given:
            given["body"] = self._parsed(("limits", "body"), given["body"], parse_size) or 1
        return Limits(**given)

    def _schedule(self, values: Any) -> Schedule | None:
        if not isinstance(values, Mapping):
            return None
        given = _given(ScheduleSettings, values)
        path = ("schedule",)
        zone = self._parsed((*path, "timezone"), given.get("timezone", "UTC"), zone_of) or UTC
        for name in ("every", "grace", "timeout"):
            if name in given:
                given[name] = self._parsed((*path, name), given[name], parse_duration)
        if "cron" in given:
            self._parsed((*path, "cron"), given["cron"], check_cron)
        for name, of_day in (("at", time.min), ("until", time.max)):
            if name in given:
                read = partial(_time, of_day=of_day, zone=zone)
                given[name] = self._parsed((*path, name), given[name], read)
        self._check_schedule(given, values)
        return Schedule(**given)

    def _check_schedule(self, given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        kinds = [name for name in ("every", "cron", "at") if values.get(name) is not None]
        hint = "give 'every', 'cron' or 'at', or 'at' and 'every'"
        if not kinds:
            self._report("missing-setting", ("schedule",), "'schedule' does not say when", hint)
        elif "cron" in kinds and len(kinds) > 1:
            message = f"'cron' cannot be with '{kinds[0] if kinds[0] != 'cron' else kinds[1]}'"
            self._report("bad-setting", ("schedule", "cron"), message, hint)
        begin, end = given.get("at"), given.get("until")
        if begin and end and end < begin:
            message = "'until' is before 'at': the task would never run"
            self._report("bad-setting", ("schedule", "until"), message)

    def _check_fit(self, kind: TaskType, values: Mapping[str, Any]) -> None:
        for key, kinds in _FITS.items():
            if values.get(key) is not None and kind not in kinds:
                message = f"{key!r} is nothing for a task of type {kind!r}"
                hint = f"leave it out; it is for {' and '.join(kinds)} tasks"
                self._report("task-type", (key,), message, hint, at_key=True)
        if kind == "scheduled" and values.get("schedule") is None:
            message = "a scheduled task needs the setting 'schedule'"
            hint = "such as 'schedule: {every: 5m}'"
            self._report("missing-setting", ("type",), message, hint)

    def _check_range(self, path: KeyPath, value: Any) -> None:
        least, most = _RANGES.get(str(path[-1]), (value, value))
        if not least <= value <= most:
            message = f"{str(path[-1])!r} must be from {least:,} to {most:,}, not {value}"
            self._report("bad-setting", path, message)

    def _parsed(self, path: KeyPath, value: Any, parse: Callable[[Any], Any]) -> Any:
        """The value as `parse` gives it, or None and a problem in the words of its ValueError."""
        try:
            return parse(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            self._report("bad-setting", path, f"{str(path[-1])!r}: {message}", hint)
            return None

    def _keys(self) -> Mapping[str, Entry]:
        return self.source.root.entries if isinstance(self.source.root, Table) else {}

    def _report_issue(self, issue: Issue) -> None:
        if issue.path and issue.path[0] in SECRET_KEYS:  # told by _texts
            return
        self._report(issue.code, issue.path, issue.message, issue.hint, at_key=issue.at_key)

    def _report(
        self,
        code: str,
        path: KeyPath,
        message: str,
        hint: str = "",
        *,
        at_key: bool = False,
        severity: Severity = "error",
    ) -> None:
        if path and path[0] not in self._keys():  # what is missing stands nowhere
            where = Location(self.source.text.path)
        else:
            where = self.source.where_key(path) if at_key else self.source.where(path)
        if not path:
            where = Location(self.source.text.path)
        self.problems.append(Problem(code, where, message, hint, severity))


def _is_written_out(text: str) -> bool:
    return bool(text) and _FROM_ENVIRONMENT not in text


def _given(cls: type[Settings], values: Any) -> dict[str, Any]:
    """What was given and could be converted."""
    partly = convert_partly(cls, values) if isinstance(values, Mapping) else {}
    return {name: value for name, value in partly.items() if value is not None}


def _time(text: str, of_day: time, zone: Any) -> datetime:
    """A time in UTC; a day alone means its first or last moment. Raises ValueError."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            moment = datetime.combine(date.fromisoformat(text.strip()), of_day)
        else:
            moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(text)} is not a time; {_ISO_HINT}") from None


def _beside(path: str, name: str) -> str:
    """A file named by another, without `..` unless a link on the way gives it a meaning."""
    joined = Path(path).parent / name
    tidy = Path(os.path.normpath(joined))
    same = tidy.exists() and joined.exists() and tidy.samefile(joined)
    return str(tidy if same or not joined.exists() else joined)


def is_origin(text: str) -> bool:
    """Whether it is what a browser sends as Origin, or `*`."""
    return _ORIGIN.fullmatch(text) is not None
