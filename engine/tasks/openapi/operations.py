"""One task as a path of the document: its methods, with what goes in and what comes out."""

from __future__ import annotations

from typing import Any

from engine.plan.plan import Plan
from engine.tasks.definition.task import Task
from engine.tasks.openapi.responses import error_responses, successes
from engine.tasks.openapi.schemas import Json, reference

WITH_BODY = ("POST", "PUT", "PATCH")
_FACTS = frozenset(
    ("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_USER", "REQUEST_METHOD")
)
"""Parameters that the server sets itself."""

_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Requests with the same key and body are done once, and get the same response.",
    "schema": {"type": "string", "pattern": "^[!#-~]{1,255}$"},
}
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=SECONDS`: how long the caller waits for the response.",
    "schema": {"type": "string"},
}
_PREFER_ASYNC: Json = {
    **_PREFER,
    "description": f"`respond-async`: 202 with an address to poll. {_PREFER['description']}",
}


def path_item(task: Task, plan: Plan) -> Json:
    """What `/tasks/NAME` offers."""
    item: Json = {"summary": plan.name, "parameters": _parameters(task, plan)}
    if not item["parameters"]:
        del item["parameters"]
    for method in task.allowed_methods:
        item[method.lower()] = _operation(task, plan, method)
    return item


def _operation(task: Task, plan: Plan, method: str) -> Json:
    operation: Json = {
        "tags": [task.name],
        "operationId": f"{task.name}_{method.lower()}",
        "summary": f"Call {plan.name}",
    }
    if task.is_guarded:
        operation["security"] = [{scheme_of(task): []}]
    prefer = _PREFER_ASYNC if task.type == "triggered" else _PREFER
    operation["parameters"] = [prefer, _KEY] if method not in ("GET", "HEAD") else [prefer]
    if method in WITH_BODY:
        operation["requestBody"] = _body(task, plan)
    operation["responses"] = {
        **successes(task, plan, sends_body=method != "HEAD"),
        **error_responses(task, method),
    }
    return operation


def scheme_of(task: Task) -> str:
    """The name of the security scheme."""
    return "jwt" if task.jwt is not None else "bearer"


def _parameters(task: Task, plan: Plan) -> list[Json]:
    """The pipeline's parameters that a caller may give: not of ultra tasks, and never secrets."""
    if task.type != "triggered":
        return []
    found = []
    for spec in plan.parameters:
        if spec.secret or spec.name in _FACTS:
            continue
        schema: Json = {"type": "string"}
        if spec.default is not None and spec.name not in task.parameters:
            schema["default"] = spec.default
        required = spec.required and spec.default is None and spec.name not in task.parameters
        parameter: Json = {"name": spec.name, "in": "query", "schema": schema}
        if required:
            parameter["required"] = True
        if spec.description:
            parameter["description"] = spec.description
        found.append(parameter)
    return found


def _body(task: Task, plan: Plan) -> Json:
    if task.input_schema is not None:
        content = {"application/json": {"schema": reference(f"{task.name}.input")}}
        return {"required": True, "content": content}
    if any(map(plan.takes_binary, plan.open_inputs[:1])):
        return {"content": {"application/octet-stream": {}}}
    schema = _DOCUMENTS if task.type == "triggered" else {}
    return {"content": {"application/json": {"schema": schema}}}


_DOCUMENTS: Json = {
    "oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}],
    "description": "A document, or several.",
}


def run_paths(task: Task) -> dict[str, Any]:
    """The paths of runs whose callers poll."""
    about: Json = {"tags": [task.name]}
    if task.is_guarded:
        about["security"] = [{scheme_of(task): []}]
    errors = error_responses(task, "GET", only=("401", "404", "405", "429"))
    run = {"application/json": {"schema": reference("Run")}}
    identifier: Json = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }
    base, name = f"/runs/{task.name}/{{id}}", task.name
    conflict = error_responses(task, "GET", only=("409",), conflict="The run is in progress.")
    return {
        base: {
            "parameters": [identifier],
            "get": {
                **about,
                "operationId": f"{name}_run",
                "summary": "How a run is doing",
                "responses": {"200": {"description": "Its state.", "content": run}, **errors},
            },
            "delete": {
                **about,
                "operationId": f"{name}_run_delete",
                "summary": "End a run, or forget its result",
                "responses": {"204": {"description": "It is gone."}, **errors},
            },
        },
        f"{base}/result": {
            "parameters": [identifier],
            "get": {
                **about,
                "operationId": f"{name}_result",
                "summary": "The result of a run",
                "responses": {
                    "default": {"description": "As for a caller that waits for it."},
                    **errors,
                    **conflict,
                },
            },
        },
    }
