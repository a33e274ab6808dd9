from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def test_each_request_goes_to_the_output_of_its_method(run_snap: Any) -> None:
    routes = {"get": "read", "POST": "write", "PUT": "write"}
    given = [{"method": name, "n": n} for n, name in enumerate(["POST", "GET", "put", "GET"])]
    outputs = run_snap("HTTPRouter", {"routes": routes}, given).outputs
    assert outputs == {"write": [given[0], given[2]], "read": [given[1], given[3]]}


def test_another_method_is_dropped(run_snap: Any) -> None:
    run = run_snap("HTTPRouter", {"routes": {"GET": "read"}}, [{"method": "DELETE"}])
    assert (run.outputs, run.dropped) == ({}, 1)


@pytest.mark.parametrize(
    ("document", "reason"),
    [({}, "`method` is missing"), ({"method": 5}, "its field `method` is 5")],
)
def test_a_document_without_a_method_is_an_error(
    run_snap: Any, document: dict[str, Any], reason: str
) -> None:
    run = run_snap("HTTPRouter", {"routes": {"GET": "read"}}, [document], on_error="route")
    [error] = run.errors
    assert (error["reason"], error["original"]) == (reason, document)


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({}, "there are no routes"),
        ({"FETCH": "read"}, "'FETCH' is not an HTTP method"),
        ({"GET": "a.b"}, "'a.b' is not a valid name of a view"),
    ],
)
def test_mistakes_are_found_when_checking(run_snap: Any, routes: Any, said: str) -> None:
    with pytest.raises(InvalidPipelineError, match=said):
        run_snap("HTTPRouter", {"routes": routes}, [])


def test_requests_keep_their_answers(tmp_path: Path) -> None:
    snaps = """\
  m: {snap: Mapper, mappings: {$method: "$request == 1 ? 'GET' : 'PUT'", $n: $request}}
  r: {snap: HTTPRouter, routes: {GET: read, PUT: write}}
  read: {snap: Mapper, mappings: {$read: $n}}
  write: {snap: Mapper, mappings: {$written: $n}}"""
    links = ["m -> r", "r.read -> read", "r.write -> write"]
    outcomes, _ = run_ultra(tmp_path, snaps, links, requests(1, 2))
    assert outcomes.answers == {1: [{"read": 1}], 2: [{"written": 2}]}
