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


def _optional(text: str, example: Any = None) -> Any:
    """A setting with its help and an example; without it, the default of the task holds."""
    return setting(default=None, help=text, example=example)


class TimeoutSettings(Settings):
    request: Amount | None = _optional("How long a request may take.", "30s")
    start: Amount | None = _optional("How long an instance may take to become ready.", "10m")
    drain: Amount | None = _optional("How long to wait for open requests at shutdown.", "30s")
    result: Amount | None = _optional("How long a result is kept for a caller that polls.", "1h")


class LimitSettings(Settings):
    body: Amount | None = _optional("Size of a request body.", "10 MiB")
    queue: int | None = _optional("Requests waiting in the queue.", 1000)
    in_flight: int | None = _optional("Requests that one instance processes at a time.", 200)
    failures: int | None = _optional("Failed starts in a row until the task is disabled.", 5)
    redeliveries: int | None = _optional(
        "How often a request is delivered again after its instance died.", 5
    )
    concurrent: int | None = _optional("Runs at a time.", 10)
    results: int | None = _optional("Runs in progress or over whose callers poll.", 100)
    results_size: Amount | None = _optional("Size of all results that are kept.", "64 MiB")
    rate_per_address: str | None = _optional("Requests from one address, per s, m, h or d.", "10/s")
    rate_per_token: str | None = _optional(
        "Requests with one bearer token, per s, m, h or d.", "1000/m"
    )


class ScheduleSettings(Settings):
    every: Amount | None = _optional("The time between two runs.", "5m")
    cron: str | None = _optional("Minute, hour, day, month and weekday.", "*/5 * * * *")
    at: str | None = _optional(
        "When it runs, or first runs if `every` is given.", "2026-12-24T18:00"
    )
    timezone: str | None = _optional("The zone of `cron`, `at` and `until`.", "Europe/Berlin")
    until: str | None = _optional("The last time or day.", "2027-01-01")
    grace: Amount | None = _optional("How late a run may start; after that it is missed.", "15m")
    timeout: Amount | None = _optional("How long a run may take.", "10m")


class TokenSettings(Settings):
    name: str = setting(help="Who has the token; in logs and rate limits.", example="ci")
    hash: str = setting(
        help="What `engine token new` prints.", example="sha256:9f86d081884c7d659a2feaa0c55ad015…"
    )
    expires: str | None = _optional("When the token stops working.", "2027-01-31")


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
    leeway: Amount | None = _optional("How much the clocks may differ.", "30s")
    parameters: dict[str, str] = setting(
        default={},
        help="Parameters of the pipeline that get the value of a claim.",
        example={"tenant": "tenant_id"},
    )


class TaskSettings(Settings):
    name: str | None = _optional("Name of the task; part of its URL.", "digits")
    type: TaskType = setting(help="How the pipeline is hosted: ultra, triggered or scheduled.")
    pipeline: str = setting(help="The pipeline's file, relative to that of the task.")
    parameters: dict[str, Any] = setting(default={}, help="Values for the pipeline's parameters.")
    instances: int | None = _optional("Processes that run the pipeline.", 2)
    bearer_token: str | None = _optional("Token that callers must send.", "${env:TOKEN}")
    tokens: tuple[TokenSettings, ...] | None = _optional(
        "Hashes of tokens; callers must send one of these tokens."
    )
    token_file: str | None = _optional("A file with more `tokens`.", "tokens.yaml")
    jwt: JwtSettings | None = _optional("JSON Web Tokens that callers may send instead.")
    allowed_origins: tuple[str, ...] | None = _optional(
        "Origins of web pages that may call the task.", ["https://example.org"]
    )
    filtered_status: int | None = _optional(
        "HTTP status of the response to a filtered request.", 204
    )
    response: Response | None = _optional(
        "How the response is delivered: `complete`; `stream`, document by document; or "
        "`poll`, from an address that the caller gets.",
        "stream",
    )
    methods: tuple[Method, ...] | None = _optional("HTTP methods that the task answers.", ["POST"])
    input_schema: dict[str, Any] | None = _optional(
        "JSON Schema of the request's body; needs the extra `snapline[schema]`.",
        {"type": "object", "required": ["id"]},
    )
    output_schema: dict[str, Any] | None = _optional(
        "JSON Schema of the response's body.", {"type": "object"}
    )
    overlap: bool | None = _optional("Whether a run may start while another is in progress.", False)
    status_from_document: bool | None = _optional(
        "Whether the field `status` of the first document is the HTTP status.", True
    )
    allow_outside: bool | None = _optional(
        "Whether snaps with `allow_outside: true` may let data name files anywhere.", True
    )
    timeouts: TimeoutSettings | None = _optional("How long requests, starts and shutdown may take.")
    limits: LimitSettings | None = _optional("Upper limits for requests and runs.")
    schedule: ScheduleSettings | None = _optional("When the task runs.")
