"""The values of a pipeline's parameters for one call of a triggered task.

They come from the query string, then the headers, then the task, then the pipeline. A secret, which
only the operator may set, is never taken from a caller. A parameter that is mapped to a claim of a
token is taken from nothing else that the caller sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from engine.plan.plan import Plan
from engine.tasks.pool.job import JobError
from engine.tasks.wire.messages import Request, RunFailure
from engine.tasks.worker.documents import caller_of
from engine.tasks.worker.http_headers import joined
from engine.tasks.worker.refusals import BadQuery
from engine.tasks.worker.urlencoded import query_of


def call_parameters(
    plan: Plan,
    given: Mapping[str, str],
    said: Mapping[str, str],
    claimed: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The values for one call, without the pipeline's defaults.

    `given` are the task's, `said` those of `caller_values`; `claimed` are the claims by the
    parameters that they fill. Raises JobError if a required value is missing.
    """
    values: dict[str, str] = {}
    for spec in plan.parameters:
        name = spec.name
        source = next((source for source in (said, given) if name in source), None)
        if source is not None:
            values[name] = source[name]
        elif spec.required and spec.default is None and name in claimed:
            raise JobError(_unclaimed(claimed[name]))
        elif spec.required and not spec.secret and spec.default is None:
            raise JobError(_missing(name, spec.description))
    return values


def caller_values(
    plan: Plan, request: Request, claimed: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The values that come from the caller: they are data. Raises JobError for a bad query."""
    head = request.head
    headers = {
        name.upper().replace("-", "_"): value
        for name, value in joined(head.headers).items()
        if "_" not in name  # a proxy that filters X-NAME may let X_NAME pass
    }
    try:
        query = dict(reversed(query_of(head.query, head.headers)))  # the first value counts
    except BadQuery as error:
        raise JobError(error.failure) from None
    facts = _facts(request)
    claims = caller_of(request).get("claims", {})
    said = {}
    for spec in plan.parameters:
        name = spec.name
        if name in claimed:
            if claims.get(claimed[name]) is not None:
                said[name] = _text(claims[claimed[name]])
        elif name in facts:
            said[name] = facts[name]
        elif not spec.secret and name != "REMOTE_USER":
            source = query if name in query else headers
            if name in source:
                said[name] = source[name]
    return said


def _facts(request: Request) -> dict[str, str]:
    """Under their CGI names; there is no REMOTE_USER if the caller's token has no name."""
    address, _, port = request.client.rpartition(":")
    user = caller_of(request).get("name", "")
    return {
        **({"REMOTE_USER": user} if user else {}),
        "PATH_INFO": request.head.path_info,
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": port,
        "REQUEST_METHOD": request.head.method,
        "QUERY_STRING": request.head.query,
    }


def _text(claim: Any) -> str:
    return claim if isinstance(claim, str) else json.dumps(claim, ensure_ascii=False)


def _unclaimed(claim: str) -> RunFailure:
    return RunFailure(
        403,
        "the token does not allow this",
        f"it lacks the claim {claim!r}, which the task needs",
        "ask its issuer for a token with this claim",
    )


def _missing(name: str, description: str) -> RunFailure:
    meaning = f" ({description})" if description else ""
    return RunFailure(
        400,
        "a parameter is missing",
        f"the parameter {name!r} is required{meaning}",
        f"add it to the query string: ?{name}=VALUE",
    )
