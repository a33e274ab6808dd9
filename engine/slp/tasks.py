"""Tasks (.slt) as task files: triggered, ultra and scheduled ones are told apart by `schedule`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.pipeline.environment import escaped
from engine.sdk.settings import shown
from engine.slp.export_file import SlpError, read_json
from engine.slp.imported import ImportedFile
from engine.slp.naming import name_of
from engine.slp.stored import text_of
from engine.slp.wrapping import comment_lines
from engine.slp.yaml_text import AsText, to_yaml

_UNITS = {"minutes": "m", "hours": "h", "days": "d"}
_DEFAULT_IN_FLIGHT = 200
_CRON = ("minute", "hour", "day", "month", "day_of_week")


def import_task(data: bytes, path: str, pipeline_file: Callable[[str], str]) -> ImportedFile:
    """The task file for a .slt. Raises SlpError."""
    root = read_json(data, path)
    if not isinstance(root.get("schedule"), Mapping) or "job_name" not in root:
        raise SlpError(f"{path!r} is not an exported task: it has no 'job_name' and 'schedule'")
    return _Task(root, pipeline_file).result()


def pipeline_of_task(root: Mapping[str, Any]) -> Iterator[str]:
    """The name of the pipeline that a task runs, if it names one."""
    parameters = root.get("parameters")
    path = parameters.get("pipeline_path") if isinstance(parameters, Mapping) else None
    if isinstance(path, str) and path.strip():
        yield path


class _Task:
    def __init__(self, root: Mapping[str, Any], pipeline_file: Callable[[str], str]) -> None:
        self.root = root
        self.title = str(root["job_name"])
        self.name = name_of(self.title, "task")
        self.parameters: Mapping[str, Any] = root.get("parameters") or {}
        self.schedule: Mapping[str, Any] = root["schedule"]
        self.pipeline_file = pipeline_file
        self.warnings: list[str] = []

    def result(self) -> ImportedFile:
        kind = self._kind()
        content: dict[str, Any] = {"name": self.name, "type": kind, "pipeline": self._pipeline()}
        given = self.parameters.get("pipeline_parameters") or {}
        if given:
            content["parameters"] = {
                name: AsText(self._as_text(name, text_of(value)))
                for name, value in given.items()
                if value is not None
            }
        if kind != "scheduled":
            content |= self._hosting(kind)
        if kind == "scheduled":
            content["schedule"] = self._schedule()
        elif minutes := self._minutes():
            content["timeouts"] = {"request": f"{minutes}m"}
        return ImportedFile(
            name=f"tasks/{self.name}.yaml",
            kind="task",
            content=to_yaml(content, tuple(self._header())).encode(),
            warnings=tuple(self.warnings),
        )

    def _as_text(self, name: str, text: str) -> str:
        """A text of SnapLogic's, where ours would read the environment."""
        if (written := escaped(text)) != text:
            self.warnings.append(
                f"the parameter {shown(name)} keeps its text {shown(text)}: SnapLogic does not "
                "read the environment"
            )
        return written

    def _kind(self) -> str:
        if self.schedule.get("always_on"):
            return "ultra"
        return "scheduled" if self.schedule.get("start_date") else "triggered"

    def _pipeline(self) -> str:
        path = self.parameters.get("pipeline_path")
        if not isinstance(path, str) or not path.strip():
            self.warnings.append("the task names no pipeline; set 'pipeline' to a file")
            path = self.title
        return f"../{self.pipeline_file(path)}"

    def _hosting(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        watchdog = self.parameters.get("watchdog") or {}
        instances = self.parameters.get("num_instances") or watchdog.get("instances")
        if kind == "ultra" and isinstance(instances, int) and instances > 1:
            found["instances"] = instances
        if self.parameters.get("llfeed_token"):
            variable = f"{self.name.upper()}_TOKEN"
            found["bearer_token"] = f"${{env:{variable}}}"
            self.warnings.append(
                f"the bearer token was not copied; put it into the environment variable {variable}"
            )
        in_flight = self.parameters.get("max_in_flight")
        if kind == "ultra" and isinstance(in_flight, int) and in_flight != _DEFAULT_IN_FLIGHT:
            found["limits"] = {"in_flight": in_flight}
        return found

    def _minutes(self) -> int:
        minutes = self.parameters.get("execution_timeout")
        return minutes if isinstance(minutes, int) and not isinstance(minutes, bool) else 0

    def _schedule(self) -> dict[str, Any]:
        schedule = self.schedule
        start = f"{schedule['start_date']}T{schedule.get('start_time') or '00:00:00'}"
        found: dict[str, Any] = self._repetition(schedule.get("repeat") or {}, start)
        if zone := schedule.get("time_zone"):
            found["timezone"] = zone
        if minutes := self._minutes():
            found["timeout"] = f"{minutes}m"
        return found

    def _repetition(self, repeat: Mapping[str, Any], start: str) -> dict[str, Any]:
        unit, every = repeat.get("by"), repeat.get("every") or 1
        found: dict[str, Any] = {"at": start}
        if unit in _UNITS:
            if unit == "days":  # a time of day, whatever daylight saving time does
                hour, minute = start.partition("T")[2].split(":")[:2]
                days = "*" if every == 1 else f"*/{every}"
                found = {"cron": f"{int(minute)} {int(hour)} {days} * *"}
            else:
                found["every"] = f"{every}{_UNITS[unit]}"
        elif unit == "weeks":
            found["every"] = f"{7 * every}d"
        elif unit == "cron":
            cron = repeat.get("cron") or {}
            found = {"cron": " ".join(str(cron.get(name, "*")) for name in _CRON)}
        elif unit == "months":
            day = int(start[8:10])
            hour, minute = start.partition("T")[2].split(":")[:2]
            found = {"cron": f"{int(minute)} {int(hour)} {day} */{every} *"}
        elif repeat:
            self.warnings.append(f"repeating by {unit!r} is not supported; the task runs once")
        if (ends := (repeat.get("ends") or {}).get("when")) not in (None, "never"):
            self.warnings.append(f"the end of the schedule ({ends}) was not imported; set 'until'")
        return found

    def _header(self) -> list[str]:
        lines = comment_lines(str(self.root.get("note") or ""))
        if name_of(self.title, "task") != self.title:
            lines += comment_lines(f"SnapLogic called it: {self.title}")
        if self.parameters.get("enabled") is False:
            lines.append("It was disabled in SnapLogic.")
        return lines
