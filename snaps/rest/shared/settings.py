"""The settings of the snaps that call REST services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sdk import (
    AccountPerDocument,
    Evaluated,
    Expression,
    Issue,
    RetryPolicy,
    Settings,
    setting,
)
from snaps.rest.shared.authorization import RestAccount
from snaps.rest.shared.entity import EntityType

Values = tuple[Evaluated[Any], ...] | Evaluated[Any]
"""One value or a list, in which each may be an expression."""

_DAY = 86_400.0


class RestSettings(Settings):
    service_url: Evaluated[str] = setting(
        help="The URL to call; it begins with `http://` or `https://`.",
        example="= _url + '/orders/' + $id",
    )
    account: AccountPerDocument[RestAccount] | None = setting(
        default=None,
        help="The account whose credentials are sent with each request.",
        example="crm",
    )
    query_parameters: dict[str, Values] = setting(
        default={},
        help="Name to value, added to the query of the URL. A list repeats the parameter, null "
        "omits it.",
        example={"page": "= $page", "limit": 100, "tag": ["new", "= $tag"]},
    )
    http_headers: dict[str, Values] = setting(
        default={},
        help="Name to value. A list repeats the header, null omits it. A header of the account "
        "gives way to one that is named here.",
        example={"X-Request-Id": "= $id"},
    )
    response_entity_type: EntityType = setting(
        default="default",
        help="What the entity of the response becomes: `default` is parsed if its content type is "
        "JSON, otherwise text; `text` is always text, `binary` bytes.",
    )
    connection_timeout: float = setting(
        default=30.0, help="Time limit for the connection, in seconds."
    )
    read_timeout: float = setting(
        default=900.0, help="The longest time, in seconds, without data from the server."
    )
    maximum_request_attempts: int = setting(
        default=5, help="How often a request is tried, including the first time."
    )
    retry_request_interval: float = setting(
        default=3.0, help="Seconds before the next try, at most a day."
    )
    retry_policy: RetryPolicy = setting(
        default="connection_errors",
        help="What is retried. `connection_errors`: requests that did not reach the server, and "
        "GET, PUT and DELETE whose connection broke. `all`: also POST and PATCH whose connection "
        "broke, any request to a server that was silent for too long, and the statuses 429 and "
        "5xx, after the time in `Retry-After` if given; choose it if the server can take a request "
        "twice.",
    )
    follow_redirects: bool = setting(
        default=True,
        help="Follow redirects; `Authorization` is not sent to another host. If false, a redirect "
        "is an error.",
    )
    trust_all_certificates: bool = setting(
        default=False, help="Accept any certificate, even a forged one."
    )
    show_all_headers: bool = setting(
        default=False,
        help="Return a repeated header as a list; otherwise its last value.",
    )
    maximum_response_size: int = setting(
        default=104_857_600,
        help="The size limit of a response, in bytes; a larger one is an error.",
    )
    requests_in_flight: int = setting(
        default=8,
        help="How many requests may run at once. The documents keep their order.",
    )


class RestEntitySettings(RestSettings):
    http_entity: Expression = setting(
        default=Expression("$"),
        help="What is sent: bytes as they are, text as text, anything else as JSON. The header "
        "Content-Type is set to match unless `http_headers` has one.",
        example="$order",
    )


def number_issues(settings: RestSettings) -> Iterator[Issue]:
    """Issues of numbers that are out of range."""
    limits: dict[str, tuple[float, float]] = {
        "connection_timeout": (0.001, _DAY),
        "read_timeout": (0.001, _DAY),
        "maximum_request_attempts": (1, 1_000),
        "retry_request_interval": (0, _DAY),
        "maximum_response_size": (0, 2**40),
        "requests_in_flight": (1, 1_000),
    }
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            hint = f"use a number from {least:,} to {most:,.0f}"
            yield Issue((name,), f"{name!r} cannot be {value:g}", hint)
