"""The keys of a test file, each with its type and help."""

from __future__ import annotations

from typing import Any, Literal

from engine.sdk.settings import Settings, setting


class FileSettings(Settings):
    """A test file."""

    pipeline: str | None = setting(
        default=None,
        help="The pipeline's file, relative to the test file. Without it, `orders.test.yaml` tests "
        "`orders.yaml`.",
        example="orders.yaml",
    )
    cases: dict[str, Any] = setting(help="The cases by name.")


class CaseSettings(Settings):
    """A case."""

    description: str = setting(default="", help="What the case shows.")
    parameters: dict[str, Any] = setting(default={}, help="Values for the pipeline's parameters.")
    now: str | None = setting(
        default=None,
        help="The time at which the clock stands: what `Date.now()` and the start of the run see.",
        example="2026-01-31T12:00:00Z",
    )
    timezone: str = setting(
        default="UTC", help="The time zone of expressions.", example="Europe/Berlin"
    )
    random_seed: int | None = setting(
        default=None, help="Makes `Math.random()` return the same numbers each time.", example=1
    )
    input: Any = setting(
        default=None,
        help="Documents for the open input: a list, `{file: NAME}` or `{csv: TEXT}`; or a map of "
        "open input to one of these.",
    )
    files: dict[str, Any] = setting(
        default={},
        help="Files that exist in the case, by the name that the pipeline uses: their text, or a "
        "map with one of `text`, `json`, `base64` and `file`.",
    )
    mocks: dict[str, Any] = setting(
        default={},
        help="What snaps put out instead of running, by label: a list of documents, or a map of "
        "view to list, or a map with `each`, `fails` or `http`.",
    )
    allow: tuple[str, ...] = setting(
        default=(), help="Labels of snaps that may act on the outside.", example=["read"]
    )
    task: dict[str, Any] | None = setting(
        default=None, help="Hosts the pipeline as a task, and sends requests to it."
    )
    expect: dict[str, Any] = setting(default={}, help="What must come of it.")


class ExpectationSettings(Settings):
    """What a view must have put out, or a snap must have got."""

    equals: Any = setting(default=None, help="These documents and no others.")
    subset: Any = setting(
        default=None, help="As many documents as here, each with at least these fields."
    )
    contains: Any = setting(
        default=None, help="Among others, documents with at least these fields."
    )
    unordered: bool = setting(default=False, help="The documents may be in any order.")
    count: int | None = setting(default=None, help="The number of documents.", example=2)
    expressions: tuple[str, ...] = setting(
        default=(), help="Expressions that must be true for each document.", example=["$n > 0"]
    )
    ignore: tuple[str, ...] = setting(
        default=(), help="Paths that are not compared.", example=["$id"]
    )
    snapshot: str | None = setting(
        default=None, help="A file with the documents; `--update` writes it.", example="out.json"
    )


class FileExpectationSettings(ExpectationSettings):
    """What a file that the pipeline wrote must hold; the other keys are for its documents."""

    text: str | None = setting(default=None, help="The complete text.")
    contains_text: str | None = setting(default=None, help="A part of the text.")
    exists: bool = setting(default=True, help="Whether the pipeline writes the file.")


class MockSettings(Settings):
    """What a snap does in a case; only one of the keys."""

    each: tuple[Any, ...] | None = setting(
        default=None,
        help="What to answer with, one for each document that reaches the snap: a document, a list "
        "of documents, or null for none. The last one repeats.",
    )
    fails: str | None = setting(default=None, help="The snap fails with this message.")
    http: tuple[dict[str, Any], ...] | None = setting(
        default=None,
        help="The snap runs, and its requests are answered from these exchanges, each with a "
        "`request` and a `response`.",
    )


class RequestSettings(Settings):
    """A request: what it must look like to be answered, or what a caller sends."""

    method: str = setting(default="GET", help="The method.", example="POST")
    url: str = setting(help="The URL.", example="https://example.org/items")
    headers: dict[str, str] = setting(default={}, help="Headers that it must have.")
    json: Any = setting(default=None, help="The body as JSON.")
    text: str | None = setting(default=None, help="The body as text.")


class ResponseSettings(Settings):
    """A response."""

    status: int = setting(default=200, help="The status.", example=201)
    headers: dict[str, str] = setting(default={}, help="The headers.")
    json: Any = setting(default=None, help="The body as JSON.")
    text: str | None = setting(default=None, help="The body as text.")


class ExchangeSettings(Settings):
    """A recorded HTTP exchange."""

    request: RequestSettings = setting(help="Which requests it answers.")
    response: ResponseSettings = setting(help="The response.")


class SentRequestSettings(Settings):
    """A request that a caller sends."""

    method: str | None = setting(
        default=None, help="The method; POST for a request with a body, else GET.", example="PUT"
    )
    path_info: str = setting(
        default="", help="What follows the task's name in the path.", example="/orders"
    )
    query: str = setting(default="", help="The query string.", example="limit=5")
    headers: dict[str, str] = setting(default={}, help="The headers.")
    json: Any = setting(default=None, help="The body as JSON.")
    text: str | None = setting(default=None, help="The body as text.")


class ExpectedResponseSettings(Settings):
    """What the response must be; keys not listed are not compared."""

    status: int | None = setting(default=None, help="The status.", example=200)
    headers: dict[str, str] = setting(default={}, help="Headers that it must have.")
    json: Any = setting(default=None, help="The body as JSON.")
    text: str | None = setting(default=None, help="The body as text.")


class RequestAndResponseSettings(Settings):
    """A request, and the response that it must get."""

    request: SentRequestSettings = setting(help="The request.")
    response: ExpectedResponseSettings = setting(help="What the response must be.")


class HostedTaskSettings(Settings):
    """How the pipeline is hosted in a case."""

    file: str | None = setting(
        default=None,
        help="The task file; the keys below then come from it. Relative to the test file.",
        example="../tasks/orders.yaml",
    )
    type: Literal["ultra", "triggered"] = setting(default="ultra", help="The type of the task.")
    name: str = setting(default="test", help="The task's name, which documents hold.")
    filtered_status: int = setting(
        default=204, help="HTTP status of the response to a filtered request."
    )
    status_from_document: bool = setting(
        default=False, help="Whether `status` of the first document is the HTTP status."
    )
    requests: tuple[RequestAndResponseSettings, ...] = setting(help="The requests, in order.")
