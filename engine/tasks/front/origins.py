"""CORS: which pages of other origins may call a task, and the preflight of a browser."""

from __future__ import annotations

from engine.tasks.definition.task import Task
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers, values_of

_PREFLIGHT_SECONDS = "600"
_ALLOW_HINT = "add it to 'allowed_origins' of the task, or serve with --allow-origin ORIGIN"


def allowed_origin(headers: Headers, task: Task) -> str | None:
    """The value of `Access-Control-Allow-Origin`; None if the origin is not allowed."""
    given = values_of(headers, "origin")
    if not given:
        return None
    if "*" in task.allowed_origins:
        return "*"
    return given[0] if given[0] in task.allowed_origins else None


def allow(headers: Headers, task: Task, origin: str | None) -> None:
    """Let the calling page read the response, if it may."""
    if origin is not None:
        _allow(headers, origin)
        headers.append(("access-control-expose-headers", "*"))
    allowed = task.allowed_origins
    if "*" not in allowed and ("vary", "origin") not in headers:
        headers.append(("vary", "origin"))  # a response cached for one page is not for another


def options(headers: Headers, origin: str | None, methods: tuple[str, ...]) -> Reply:
    """The response to a preflight, which no pipeline sees."""
    asked, allowed = dict(headers), ", ".join(methods)
    answer: Headers = [("allow", f"{allowed}, OPTIONS")]
    if "access-control-request-method" not in asked:
        return Reply(204, answer, b"", "preflight")
    if origin is None:
        reason = f"{asked.get('origin', '')!r} is not one of the task's allowed origins"
        return error_reply(403, "pages of this origin may not call the task", reason, _ALLOW_HINT)
    _allow(answer, origin)
    answer.append(("access-control-allow-methods", allowed))
    wanted = asked.get("access-control-request-headers", "")
    if wanted:
        answer.append(("access-control-allow-headers", wanted))
    answer.append(("access-control-max-age", _PREFLIGHT_SECONDS))
    return Reply(204, answer, b"", "preflight")


def _allow(headers: Headers, origin: str) -> None:
    if all(name.lower() != "access-control-allow-origin" for name, _ in headers):
        headers.append(("access-control-allow-origin", origin))
