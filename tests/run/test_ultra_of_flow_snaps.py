"""Flow snaps in ultra pipelines: what they drop, copy and route keeps its request."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.documents import Document
from engine.run import call_tree
from tests.run.test_ultra import requests, run

MANY: tuple[list[Document], ...] = (requests(1, 2, 3), requests(4))


def test_the_requests_of_a_trash_are_filtered(tmp_path: Path) -> None:
    snaps = """\
  route: {snap: Router, routes: {odd: $request % 2 == 1, even: $request % 2 == 0}}
  trash: {snap: Trash}
  keep: {snap: Mapper, mappings: {$n: $request}}"""
    outcomes, failure = run(tmp_path, snaps, ["route.odd -> trash", "route.even -> keep"], *MANY)
    assert failure is None
    assert outcomes.answers == {1: ["filtered"], 2: [{"n": 2}], 3: ["filtered"], 4: [{"n": 4}]}


def test_a_request_of_which_a_trash_gets_a_copy_is_answered(tmp_path: Path) -> None:
    snaps = """\
  both: {snap: Copy}
  trash: {snap: Trash}
  keep: {snap: Mapper, mappings: {$n: $request}}"""
    outcomes, failure = run(tmp_path, snaps, ["both -> trash", "both -> keep"], *MANY)
    assert failure is None
    assert outcomes.answers == {number: [{"n": number}] for number in (1, 2, 3, 4)}


ASK = "  ask: {snap: Mapper, pass_through: true, mappings: {$asked: 'true'}}"
READ = "{snap: BinaryToDocument, codec: none}"
BACK = "  back: {snap: Mapper, mappings: {$text: $content}}"


def test_the_stream_of_a_constant_belongs_to_its_request(tmp_path: Path) -> None:
    snaps = f"{ASK}\n  make: {{snap: Constant, content: = 'n' + $request}}\n  read: {READ}\n{BACK}"
    outcomes, failure = run(tmp_path, snaps, ["ask -> make -> read -> back"], *MANY)
    assert failure is None
    assert outcomes.answers == {number: [{"text": f"n{number}"}] for number in (1, 2, 3, 4)}


def test_a_constant_that_fails_fails_its_request_alone(tmp_path: Path) -> None:
    snaps = f"{ASK}\n  make: {{snap: Constant, content: = $text}}\n  read: {READ}\n{BACK}"
    given = [*requests(1, text="a"), *requests(2), *requests(3, text="c")]
    outcomes, failure = run(tmp_path, snaps, ["ask -> make -> read -> back"], given)
    assert failure is None
    assert (outcomes.answers[1], outcomes.answers[3]) == ([{"text": "a"}], [{"text": "c"}])
    assert outcomes.answers[2] == ["failed: the expression '$text' failed"]


def test_streams_that_a_router_sends_two_ways_answer_their_requests(tmp_path: Path) -> None:
    snaps = f"""\
  shape: {{snap: Mapper, mappings: {{$n: $request % 3, $content: "'n' + $request"}}}}
  make: {{snap: DocumentToBinary, codec: none}}
  route: {{snap: BinaryRouter, first_match: true, routes: {{a: $n == 1, b: $n == 2}}}}
  one: {READ}
  two: {READ}
  join: {{snap: Union}}
{BACK}"""
    links = [
        "shape -> make -> route",
        "route.a -> one -> join -> back",
        "route.b -> two -> join",
    ]
    outcomes, failure = run(tmp_path, snaps, links, *MANY)
    assert failure is None
    assert outcomes.answers == {
        1: [{"text": "n1"}],
        2: [{"text": "n2"}],
        3: ["filtered"],
        4: [{"text": "n4"}],
    }


def test_each_copy_of_a_stream_has_its_request(tmp_path: Path) -> None:
    snaps = f"""\
{ASK}
  make: {{snap: Constant, content: = 'n' + $request}}
  both: {{snap: BinaryCopy}}
  one: {READ}
  trash: {{snap: Trash, input_type: binary}}
{BACK}"""
    links = ["ask -> make -> both -> one -> back", "both -> trash"]
    outcomes, failure = run(tmp_path, snaps, links, *MANY)
    assert failure is None
    assert outcomes.answers == {number: [{"text": f"n{number}"}] for number in (1, 2, 3, 4)}
    assert outcomes.strays == []


DOWN = """
snaps:
  on: {snap: Filter, filter: $request > 2}
  again: {snap: PipelineExecute, pipeline: down, pool_size: 3}
links: [on -> again]
"""


def test_a_request_whose_pipelines_call_each_other_without_end_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_tree, "MAX_DEPTH", 8)
    (tmp_path / "down.yaml").write_text(DOWN)
    snaps = "  call: {snap: PipelineExecute, pipeline: down, pool_size: 2}"
    outcomes, failure = run(tmp_path, snaps, [], *MANY, requests(1, 2))
    assert failure is None
    error = "failed: could not run the pipeline 'down'"
    assert {n: set(map(str, found)) for n, found in outcomes.answers.items()} == {
        1: {"filtered"},
        2: {"filtered"},
        3: {error},
        4: {error},
    }
