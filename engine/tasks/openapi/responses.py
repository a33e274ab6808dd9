"""The responses of a task, by status."""

from __future__ import annotations

from engine.plan.plan import Plan
from engine.tasks.definition.task import Task
from engine.tasks.openapi.schemas import Json, reference

_ERRORS = {
    "400": "The request cannot be read, or its body does not match the schema.",
    "401": "The token is missing or wrong.",
    "403": "The caller may not do this.",
    "404": "There is no such run for this caller.",
    "405": "The method is not allowed.",
    "408": "The request arrived too slowly.",
    "409": "A run is in progress; or the response to this key was too large to be kept.",
    "413": "The body is too large.",
    "415": "The body has a content encoding that is not supported.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many requests.",
    "500": "The pipeline failed.",
    "503": "The queue is full, or the server is shutting down.",
    "504": "There was no response in time.",
}
_RETRY = ("429", "503")
_HEADERS: Json = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_DONE = {
    "ultra": "The response of the pipeline.",
    "triggered": "The result of the run.",
}


def error_responses(
    task: Task, method: str, only: tuple[str, ...] = (), conflict: str = ""
) -> dict[str, Json]:
    """Those of the server, and of a pipeline that fails."""
    wanted = only or tuple(each for each in _ERRORS if _applies(each, task, method))
    responses = {}
    for status in wanted:
        if status == "401" and not task.is_guarded:
            continue
        if status == "429" and not (task.limits.rate_per_address or task.limits.rate_per_token):
            continue
        description = conflict if status == "409" and conflict else _ERRORS[status]
        response: Json = {"description": description}
        if status in _RETRY:
            response["headers"] = _HEADERS
        if method != "HEAD":
            response["content"] = {"application/json": {"schema": reference("Error")}}
        responses[status] = response
    return responses


def _applies(status: str, task: Task, method: str) -> bool:
    if status in ("403", "404"):
        return False
    reads = method in ("GET", "HEAD")
    if status == "409":
        return not reads or (task.type == "triggered" and not task.overlap)
    return not (reads and status == "422")


def successes(task: Task, plan: Plan, *, sends_body: bool) -> dict[str, Json]:
    responses: dict[str, Json] = {}
    if task.response != "poll":
        done: Json = {"description": _DONE[task.type]}
        if sends_body:
            done["content"] = _content(task, plan)
        responses["200"] = done
    if task.type == "ultra" and task.filtered_status != 200:
        responses[str(task.filtered_status)] = {
            "description": "The pipeline has dropped the request."
        }
    if task.type == "triggered":
        accepted: Json = {
            "description": "The run has begun; poll the address in `Location`.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        }
        if sends_body:
            accepted["content"] = {"application/json": {"schema": reference("Run")}}
        responses["202"] = accepted
    if task.output_schema is None:
        responses["default"] = {"description": "Any other status that the pipeline sets."}
    return responses


def _content(task: Task, plan: Plan) -> Json:
    schema = {} if task.output_schema is None else reference(f"{task.name}.output")
    if task.response == "stream":
        return {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/event-stream": {"schema": {"type": "string"}},
        }
    if task.output_schema is not None:
        return {"application/json": {"schema": schema}}
    if task.type == "triggered" and not plan.open_outputs:
        done = {"type": "object", "properties": {"http_status_code": {"const": 200}}}
        return {"application/json": {"schema": done}}
    if task.type == "triggered" and not any(map(plan.gives_binary, plan.open_outputs)):
        return {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
    return {"*/*": {}}
