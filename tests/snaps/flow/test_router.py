from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

NUMBERS = [{"n": n} for n in range(200)]


def test_without_first_match_a_document_goes_to_every_true_output(run_snap: Any) -> None:
    routes = {"even": "$n % 2 == 0", "third": "$n % 3 == 0", "all": "true"}
    outputs = run_snap("Router", {"routes": routes}, NUMBERS).outputs
    assert outputs == {
        "even": [each for each in NUMBERS if each["n"] % 2 == 0],
        "third": [each for each in NUMBERS if each["n"] % 3 == 0],
        "all": NUMBERS,
    }


def test_with_first_match_later_conditions_are_not_tried(run_snap: Any) -> None:
    routes = {"zero": "$n == 0", "gone": "$gone == 1"}
    run = run_snap("Router", {"routes": routes, "first_match": True}, [{"n": 0}])
    assert run.outputs == {"zero": [{"n": 0}]}


def test_a_document_without_a_route_is_dropped(run_snap: Any) -> None:
    run = run_snap("Router", {"routes": {"big": "$n > 197"}}, NUMBERS)
    assert (len(run.output), run.dropped) == (2, 198)


def test_two_rows_of_one_output_send_a_document_once(run_snap: Any) -> None:
    rows = [{"condition": "$n > 1", "output": "x"}, {"condition": "$n > 2", "output": "x"}]
    assert run_snap("Router", {"routes": rows}, [{"n": 3}]).outputs == {"x": [{"n": 3}]}


def test_a_row_without_a_condition_never_matches_beside_one_that_has_one(run_snap: Any) -> None:
    rows = [{"output": "never"}, {"condition": "true", "output": "always"}]
    assert run_snap("Router", {"routes": rows}, [{"n": 1}]).outputs == {"always": [{"n": 1}]}


def test_without_any_condition_the_outputs_take_turns_in_alphabetical_order(
    run_snap: Any,
) -> None:
    rows = [{"output": "b"}, {"output": "a"}]
    outputs = run_snap("Router", {"routes": rows}, NUMBERS[:5]).outputs
    assert outputs == {"a": [{"n": 0}, {"n": 2}, {"n": 4}], "b": [{"n": 1}, {"n": 3}]}


def test_text_is_compared_with_a_number_as_a_number(run_snap: Any) -> None:
    routes = {"<15": "$['Employee ID'] < 15", "rest": "true"}
    given = [{"Employee ID": "10"}, {"Employee ID": "9"}, {"Employee ID": "20"}]
    run = run_snap("Router", {"routes": routes, "first_match": True}, given)
    assert run.outputs["<15"] == given[:2]


def test_a_document_that_fails_goes_to_the_error_view_and_to_no_output(run_snap: Any) -> None:
    routes = {"all": "true", "deep": "$a.b > 1"}
    run = run_snap("Router", {"routes": routes}, [{"a": {"b": 2}}, {"a": 1}], on_error="route")
    assert run.outputs["all"] == run.outputs["deep"] == [{"a": {"b": 2}}]
    assert [error["original"] for error in run.errors] == [{"a": 1}]


def test_another_value_than_true_or_false_fails_the_pipeline(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match=r"the condition '\$n' of 'x' must return true or"):
        run_snap("Router", {"routes": {"x": "$n"}}, [{"n": 1}], on_error="discard")


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ("{}", "there are no routes"),
        ("{a.b: 'true'}", "'a.b' is not a valid name of a view"),
        ("{x: '$n >'}", "expression"),
    ],
)
def test_mistakes_are_found_when_checking(tmp_path: Path, routes: str, said: str) -> None:
    (tmp_path / "p.yaml").write_text(f"snaps: {{r: {{snap: Router, routes: {routes}}}}}\n")
    with pytest.raises(InvalidPipelineError, match=said):
        api.compile_plan(tmp_path / "p.yaml")


def test_a_row_that_no_document_takes_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    rows = "[{output: big, condition: $n > 1}, {output: small}]"
    file.write_text(f"snaps:\n  r: {{snap: Router, routes: {rows}}}\n")
    (problem,) = api.check(file)
    assert problem.severity == "warning"
    assert problem.message == "no document goes to 'small': its row has no condition"
    assert problem.hint.endswith("as the last row, and first_match: true")
    file.write_text("snaps:\n  r: {snap: Router, routes: [{output: a}, {output: b}]}\n")
    assert api.check(file) == []


def test_routes_are_linked_by_name_and_what_is_not_linked_is_an_open_output(
    tmp_path: Path,
) -> None:
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  r: {snap: Router, routes: {big: $n > 1, rest: 'true'}, first_match: true}\n"
        "  mark: {snap: Mapper, mappings: {$big: $n}}\nlinks: [r.big -> mark]\n"
    )
    report = api.run(tmp_path / "p.yaml", inputs={"r": [{"n": 1}, {"n": 2}]})
    assert report.outputs == {"mark.output": [{"big": 2}], "r.rest": [{"n": 1}]}


def test_each_request_gets_the_answer_of_its_route(tmp_path: Path) -> None:
    snaps = """\
  r: {snap: Router, routes: {even: $request % 2 == 0, odd: $request < 6}, first_match: true}
  even: {snap: Mapper, mappings: {$even: $request}}
  odd: {snap: Mapper, mappings: {$odd: $request}}"""
    links = ["r.even -> even", "r.odd -> odd"]
    outcomes, _ = run_ultra(tmp_path, snaps, links, requests(1, 2, 3), requests(7, 8))
    assert outcomes.answers == {
        1: [{"odd": 1}],
        2: [{"even": 2}],
        3: [{"odd": 3}],
        7: ["filtered"],
        8: [{"even": 8}],
    }
