"""The OpenAPI 3.1 document of a server or of task files.

It says only what callers may know: of parameters neither secrets nor the values of the task file.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from engine.plan.plan import Plan
from engine.sdk.json_output import to_json
from engine.tasks.definition.task import Task
from engine.tasks.openapi.operations import path_item, run_paths, scheme_of
from engine.tasks.openapi.schemas import ERROR, RUN, Json, as_component

_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def openapi(tasks: Iterable[tuple[Task, Plan]], url: str = "/") -> Json:
    """The document for the tasks that have an address; `url` is that of the server."""
    called = [(task, plan) for task, plan in tasks if task.type != "scheduled"]
    paths: Json = {}
    schemas: Json = {"Error": ERROR}
    schemes: Json = {}
    for task, plan in called:
        paths[f"/tasks/{task.name}"] = path_item(task, plan)
        for kind, schema in (("input", task.input_schema), ("output", task.output_schema)):
            if schema is not None:
                name = f"{task.name}.{kind}"
                schemas[name] = as_component(schema, name)
        if task.type == "triggered":
            schemas["Run"] = RUN
            paths |= run_paths(task)
        if task.is_guarded:
            schemes[scheme_of(task)] = _SCHEMES[scheme_of(task)]
    components: Json = {"schemas": schemas}
    if schemes:
        components["securitySchemes"] = schemes
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Snapline tasks",
            "version": _version(),
            "description": "Pipelines that are hosted as tasks.",
        },
        "servers": [{"url": url}],
        "tags": [{"name": task.name} for task, _ in called],
        "paths": paths,
        "components": components,
    }


def openapi_json(tasks: Iterable[tuple[Task, Plan]], url: str = "/") -> bytes:
    return to_json(openapi(tasks, url), "the OpenAPI document")


class KeptDocument:
    """The text of the document of a server. It is made again only when a task has changed, as
    anybody may ask for it as often as they like."""

    def __init__(self) -> None:
        self._tasks: list[tuple[Task, Plan]] = []
        self._text = b""

    def of(self, tasks: Iterable[tuple[Task, Plan]]) -> bytes:
        now = list(tasks)
        is_known = len(now) == len(self._tasks) and all(
            task is known and plan is known_plan
            for (task, plan), (known, known_plan) in zip(now, self._tasks, strict=True)
        )
        if not (self._text and is_known):
            self._tasks, self._text = now, openapi_json(now)
        return self._text


def _version() -> str:
    try:
        return version("snapline")
    except PackageNotFoundError:
        return "0"
