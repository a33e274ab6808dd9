"""A task: a pipeline and how it is hosted, as frozen plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.tasks.definition.jwt_rules import JwtRules
from engine.tasks.definition.rate import Rate
from engine.tasks.definition.token_hash import TokenHash

TaskType = Literal["ultra", "triggered", "scheduled"]


Response = Literal["complete", "stream", "poll"]
"""How the response to a request is delivered: in one piece, document by document, or when the
caller asks for it."""


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""Those that a task may answer; OPTIONS is answered by the server."""

_WITH_BODY = ("POST", "PUT", "PATCH")


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: for a request, for an instance to be ready, for open requests at a shutdown, and
    for which the result of a run is kept for its caller."""

    request: float = 900.0
    start: float = 600.0
    drain: float = 30.0
    result: float = 3600.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Upper limits of a task; `body` and `results_size` are in bytes."""

    body: int = 10 * 1024 * 1024
    queue: int = 1000
    in_flight: int = 200
    failures: int = 5
    redeliveries: int = 5
    concurrent: int = 10
    results: int = 100
    results_size: int = 64 * 1024 * 1024
    rate_per_address: Rate | None = None
    rate_per_token: Rate | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a scheduled task runs; one of `every`, `cron` and `at` is set, or `every` and `at`.

    `every`, `grace` and `timeout` are seconds. `at` and `until` (inclusive) are aware.
    If `grace` is None, engine.tasks.definition.schedule chooses it.
    """

    every: float | None = None
    cron: str = ""
    at: datetime | None = None
    timezone: str = "UTC"
    until: datetime | None = None
    grace: float | None = None
    timeout: float | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A checked task; `path` is its file, `pipeline` that of its pipeline.

    If none of `bearer_token`, `tokens`, `token_file` and `jwt` is set, everybody may call; an empty
    tuple of `tokens` that was given lets nobody in. `token_file` is a path.
    No `methods` means all that make sense. The two JSON Schemas are for the bodies of requests and
    responses.
    `overlap`: a run may start during another.
    `allow_outside`: snaps may let data name files anywhere, if their own setting allows it.
    """

    name: str
    pipeline: str
    path: str
    type: TaskType = "ultra"
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)
    instances: int = 1
    bearer_token: str = ""
    tokens: tuple[TokenHash, ...] | None = None
    token_file: str = ""
    jwt: JwtRules | None = None
    allowed_origins: tuple[str, ...] = ()
    filtered_status: int = 204
    response: Response = "complete"
    methods: tuple[str, ...] = ()
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    overlap: bool = True
    status_from_document: bool = False
    allow_outside: bool = False
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    schedule: Schedule | None = None

    @property
    def allowed_methods(self) -> tuple[str, ...]:
        """A body is required if it has a schema; GET comes with HEAD."""
        if self.methods:
            return (*self.methods, "HEAD") if "GET" in self.methods else self.methods
        return _WITH_BODY if self.input_schema is not None else METHODS

    @property
    def identity(self) -> str:
        """The key of its history: two projects may have tasks of the same name."""
        return str(Path(self.path).absolute())

    @property
    def is_guarded(self) -> bool:
        """Whether callers must say who they are."""
        return bool(
            self.bearer_token or self.token_file or self.jwt is not None or self.tokens is not None
        )

    def __repr__(self) -> str:
        """Without token and parameters, which may be secret."""
        return f"<{self.type} task {self.name!r} of {self.pipeline!r}>"
