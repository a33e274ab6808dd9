"""A test file as data: its cases, with a place in the file for everything that can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline.source import KeyPath, Source
from engine.sdk.http import HttpResponse
from engine.tasks.definition.task import Task


class Given(msgspec.Struct, frozen=True):
    """Documents or binary streams as written at `path`, in a `file`, or as the text `csv`."""

    path: KeyPath
    items: tuple[Any, ...] = ()
    file: str = ""
    csv: str | None = None


class Exchange(msgspec.Struct, frozen=True):
    """A recorded response, and the request that it answers; a `body` of None fits any."""

    path: KeyPath
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    response: HttpResponse


class MockedSnap(msgspec.Struct, frozen=True):
    """What a snap does in a case. The key "" of `outputs` is its first output view."""

    path: KeyPath
    outputs: Mapping[str, Given] = {}
    each: tuple[tuple[dict[str, Any], ...], ...] = ()
    fails: str = ""
    exchanges: tuple[Exchange, ...] | None = None


class Expectation(msgspec.Struct, frozen=True):
    """What must have left a view, or reached a snap: see ExpectationSettings for the fields."""

    target: str
    path: KeyPath
    equals: Given | None = None
    subset: Given | None = None
    contains: Given | None = None
    unordered: bool = False
    count: int | None = None
    expressions: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    snapshot: str = ""


class FileExpectation(msgspec.Struct, frozen=True):
    """What the file must hold; `documents` if its content counts as documents."""

    name: str
    path: KeyPath
    text: str | None = None
    contains_text: str | None = None
    exists: bool = True
    documents: Expectation | None = None


class SentRequest(msgspec.Struct, frozen=True):
    """A request to a task, and what its response must be: None is not compared."""

    path: KeyPath
    task: str
    method: str
    path_info: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int | None = None
    response_headers: Mapping[str, str] = {}
    json: Any = None
    text: str | None = None


class HostedTask(msgspec.Struct, frozen=True):
    """How the pipeline of a case is hosted, and the requests to it."""

    path: KeyPath
    task: Task
    requests: tuple[SentRequest, ...]


class Case(msgspec.Struct, frozen=True):
    """A case of a test file; the key "" of `inputs` is the only open input."""

    name: str
    path: KeyPath
    where: Location
    parameters: Mapping[str, str] = {}
    now: datetime | None = None
    timezone: str = "UTC"
    random_seed: int | None = None
    inputs: Mapping[str, Given] = {}
    files: Mapping[str, bytes] = {}
    mocks: Mapping[str, MockedSnap] = {}
    allow: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    written: tuple[FileExpectation, ...] = ()
    task: HostedTask | None = None
    failure: str | None = None
    diagnostics: tuple[str, ...] | None = None

    @property
    def runs(self) -> bool:
        """Whether the pipeline runs, which its diagnostics alone do not need."""
        return bool(self.expectations or self.written or self.failure or self.task)


class TestFile(msgspec.Struct, frozen=True):
    """A test file as read. `pipeline` is the path of the pipeline's file."""

    __test__ = False  # pytest would collect a class of this name

    path: str
    source: Source
    pipeline: str = ""
    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
