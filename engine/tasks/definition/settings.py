"""The settings of a task file. Defaults are in engine.tasks.definition.task; here they are None."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.sdk.settings import Settings, setting
from engine.tasks.definition.task import Response, TaskType

RANGES: Mapping[str, tuple[int, int]] = {
    "instances": (1, 1000),
    "filtered_status": (200, 599),
    "queue": (1, 1_000_000),
    "in_flight": (1, 1_000_000),
    "failures": (1, 1_000_000),
    "redeliveries": (0, 1000),
    "concurrent": (1, 1000),
    "results": (1, 100_000),
}
"""The least and the greatest value of each number."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Amount = float | str
"""A duration or a size: see engine.sdk.quantities."""


class TimeoutSettings(Settings):
    request: Amount | None = setting(
        default=None, help="How long a request may take.", example="30s"
    )
    start: Amount | None = setting(
        default=None, help="How long an instance may take to become ready.", example="10m"
    )
    drain: Amount | None = setting(
        default=None, help="How long to wait for open requests at shutdown.", example="30s"
    )
    result: Amount | None = setting(
        default=None, help="How long a result is kept for a caller that polls.", example="1h"
    )


class LimitSettings(Settings):
    body: Amount | None = setting(default=None, help="Size of a request body.", example="10 MiB")
    queue: int | None = setting(default=None, help="Requests waiting in the queue.", example=1000)
    in_flight: int | None = setting(
        default=None, help="Requests that one instance processes at a time.", example=200
    )
    failures: int | None = setting(
        default=None, help="Failed starts in a row until the task is disabled.", example=5
    )
    redeliveries: int | None = setting(
        default=None,
        help="How often a request is delivered again after its instance died.",
        example=5,
    )
    concurrent: int | None = setting(default=None, help="Runs at a time.", example=10)
    results: int | None = setting(
        default=None, help="Runs in progress or over whose callers poll.", example=100
    )
    results_size: Amount | None = setting(
        default=None, help="Size of all results that are kept.", example="64 MiB"
    )
    rate_per_address: str | None = setting(
        default=None, help="Requests from one address, per s, m, h or d.", example="10/s"
    )
    rate_per_token: str | None = setting(
        default=None, help="Requests with one bearer token, per s, m, h or d.", example="1000/m"
    )


class ScheduleSettings(Settings):
    every: Amount | None = setting(default=None, help="The time between two runs.", example="5m")
    cron: str | None = setting(
        default=None, help="Minute, hour, day, month and weekday.", example="*/5 * * * *"
    )
    at: str | None = setting(
        default=None,
        help="When it runs, or first runs if `every` is given.",
        example="2026-12-24T18:00",
    )
    timezone: str | None = setting(
        default=None, help="The zone of `cron`, `at` and `until`.", example="Europe/Berlin"
    )
    until: str | None = setting(default=None, help="The last time or day.", example="2027-01-01")
    grace: Amount | None = setting(
        default=None, help="How late a run may start; after that it is missed.", example="15m"
    )
    timeout: Amount | None = setting(default=None, help="How long a run may take.", example="10m")


class TokenSettings(Settings):
    name: str = setting(help="Who has the token; in logs and rate limits.", example="ci")
    hash: str = setting(
        help="What `engine token new` prints.", example="sha256:9f86d081884c7d659a2feaa0c55ad015…"
    )
    expires: str | None = setting(
        default=None, help="When the token stops working.", example="2027-01-31"
    )


class JwtSettings(Settings):
    jwks: str = setting(
        help="The public keys: a file, or an https address.",
        example="https://login.example.org/.well-known/jwks.json",
    )
    algorithms: tuple[str, ...] = setting(
        help="The signatures that are accepted.", example=["RS256"]
    )
    issuer: str = setting(
        help="Who must have issued the token (`iss`).", example="https://login.example.org/"
    )
    audience: Literal["any"] | tuple[str, ...] = setting(
        help="For whom the token must be (`aud`): one of these; or `any`, which checks nothing.",
        example=["digits"],
    )
    leeway: Amount | None = setting(
        default=None, help="How much the clocks may differ.", example="30s"
    )
    parameters: dict[str, str] = setting(
        default={},
        help="Parameters of the pipeline that get the value of a claim.",
        example={"tenant": "tenant_id"},
    )


class TaskSettings(Settings):
    name: str | None = setting(
        default=None, help="Name of the task; part of its URL.", example="digits"
    )
    type: TaskType = setting(help="How the pipeline is hosted: ultra, triggered or scheduled.")
    pipeline: str = setting(help="The pipeline's file, relative to that of the task.")
    parameters: dict[str, Any] = setting(default={}, help="Values for the pipeline's parameters.")
    instances: int | None = setting(
        default=None, help="Processes that run the pipeline.", example=2
    )
    bearer_token: str | None = setting(
        default=None, help="Token that callers must send.", example="${env:TOKEN}"
    )
    tokens: tuple[TokenSettings, ...] | None = setting(
        default=None, help="Hashes of tokens; callers must send one of these tokens."
    )
    token_file: str | None = setting(
        default=None, help="A file with more `tokens`.", example="tokens.yaml"
    )
    jwt: JwtSettings | None = setting(
        default=None, help="JSON Web Tokens that callers may send instead."
    )
    allowed_origins: tuple[str, ...] | None = setting(
        default=None,
        help="Origins of web pages that may call the task.",
        example=["https://example.org"],
    )
    filtered_status: int | None = setting(
        default=None, help="HTTP status of the response to a filtered request.", example=204
    )
    response: Response | None = setting(
        default=None,
        help="How the response is delivered: `complete`; `stream`, document by document; or "
        "`poll`, from an address that the caller gets.",
        example="stream",
    )
    methods: tuple[Method, ...] | None = setting(
        default=None, help="HTTP methods that the task answers.", example=["POST"]
    )
    input_schema: dict[str, Any] | None = setting(
        default=None,
        help="JSON Schema of the request's body; needs the extra `snapline[schema]`.",
        example={"type": "object", "required": ["id"]},
    )
    output_schema: dict[str, Any] | None = setting(
        default=None, help="JSON Schema of the response's body.", example={"type": "object"}
    )
    overlap: bool | None = setting(
        default=None, help="Whether a run may start while another is in progress.", example=False
    )
    status_from_document: bool | None = setting(
        default=None,
        help="Whether the field `status` of the first document is the HTTP status.",
        example=True,
    )
    allow_outside: bool | None = setting(
        default=None,
        help="Whether snaps with `allow_outside: true` may let data name files anywhere.",
        example=True,
    )
    timeouts: TimeoutSettings | None = setting(
        default=None, help="How long requests, starts and shutdown may take."
    )
    limits: LimitSettings | None = setting(default=None, help="Upper limits for requests and runs.")
    schedule: ScheduleSettings | None = setting(default=None, help="When the task runs.")
