from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

ORDERS = {
    "id": 7,
    "tags": ["x"],
    "customer": {"name": "Ada", "city": {"zip": "1"}, "orders": [{"n": 1}, {"n": 2}]},
}


def test_every_element_becomes_a_document_in_order(run_snap: Any) -> None:
    given = [{"a": [{"n": n} for n in range(start, start + 1000)]} for start in (0, 1000, 2000)]
    output = run_snap("JSONSplitter", {"json_path": "$a"}, given).output
    assert output == [{"n": n} for n in range(3000)]


@pytest.mark.parametrize("path", ["$a", "a", "$a[*]", "$.a[*]", 'jsonPath($, "a[*]")', "$['a']"])
def test_a_path_may_be_written_in_any_way(run_snap: Any, path: str) -> None:
    assert run_snap("JSONSplitter", {"json_path": path}, [{"a": [{"n": 1}]}]).output == [{"n": 1}]


def test_a_parameter_may_name_the_list(run_snap: Any) -> None:
    settings = {"json_path": "$[(_list)]"}
    run = run_snap("JSONSplitter", settings, [{"b": [{"n": 1}]}], parameters={"list": "b"})
    assert run.output == [{"n": 1}]


@pytest.mark.parametrize("path", ["$a[*].b[*]", "$a[*].b", "$a[*]['b'][*]", "$..b"])
def test_lists_in_lists_are_split_one_after_another(run_snap: Any, path: str) -> None:
    given = [{"a": [{"b": [{"n": 1}, {"n": 2}]}, {}, {"b": []}, {"b": [{"n": 3}]}]}]
    output = run_snap("JSONSplitter", {"json_path": path}, given).output
    assert output == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_a_filter_in_the_path_chooses_elements(run_snap: Any) -> None:
    settings = {"json_path": "$a[?(value.n > 1)]"}
    assert run_snap("JSONSplitter", settings, [{"a": [{"n": 1}, {"n": 2}]}]).output == [{"n": 2}]


def test_the_values_of_an_object_are_split_where_the_path_asks_for_them(run_snap: Any) -> None:
    given = [{"a": {"x": {"n": 1}, "y": {"n": 2}}}]
    output = run_snap("JSONSplitter", {"json_path": "$a[*]"}, given).output
    assert output == [{"n": 1}, {"n": 2}]


def test_scalar_parents_of_all_levels_follow_the_fields_of_the_element(run_snap: Any) -> None:
    settings = {"json_path": "$customer.orders", "include_scalar_parents": True}
    output = run_snap("JSONSplitter", settings, [ORDERS]).output
    assert [list(each.items()) for each in output] == [
        [("n", 1), ("id", 7), ("name", "Ada")],
        [("n", 2), ("id", 7), ("name", "Ada")],
    ]


def test_fields_of_the_element_and_of_near_parents_win(run_snap: Any) -> None:
    given = [{"x": 1, "y": 1, "z": 1, "a": {"x": 2, "y": 2, "list": [{"x": 3}]}}]
    settings = {"json_path": "$a.list", "include_scalar_parents": True}
    assert run_snap("JSONSplitter", settings, given).output == [{"x": 3, "y": 2, "z": 1}]


def test_scalar_parents_are_those_of_the_elements_own_list(run_snap: Any) -> None:
    given = [{"a": [{"id": 1, "b": [{"n": 1}]}, {"id": 2, "b": [{"n": 2}]}]}]
    settings = {"json_path": "$a[*].b[*]", "include_scalar_parents": True}
    output = run_snap("JSONSplitter", settings, given).output
    assert output == [{"n": 1, "id": 1}, {"n": 2, "id": 2}]


def test_included_values_keep_their_place(run_snap: Any) -> None:
    settings = {"json_path": "$customer.orders", "include_paths": ["$customer.city", "$tags"]}
    assert run_snap("JSONSplitter", settings, [ORDERS]).output[0] == {
        "n": 1,
        "customer": {"city": {"zip": "1"}},
        "tags": ["x"],
    }


def test_an_included_value_does_not_replace_what_the_element_has(run_snap: Any) -> None:
    given = [{"original": {"id": 1, "sectionId": 9}, "list": [{"original": {"id": 2}}, {}]}]
    settings = {
        "json_path": "$list",
        "include_paths": ["$original.id", "$original.sectionId"],
    }
    assert run_snap("JSONSplitter", settings, given).output == [
        {"original": {"id": 2, "sectionId": 9}},
        {"original": {"id": 1, "sectionId": 9}},
    ]


def test_the_list_can_be_left_out_of_what_is_included(run_snap: Any) -> None:
    settings = {"json_path": "$customer.orders", "include_paths": ["$customer"]}
    with_list = run_snap("JSONSplitter", settings, [ORDERS]).output[0]
    assert with_list == {"n": 1, "customer": ORDERS["customer"]}
    without = run_snap("JSONSplitter", {**settings, "exclude_list": True}, [ORDERS]).output[0]
    assert without == {"n": 1, "customer": {"name": "Ada", "city": {"zip": "1"}}}


def test_an_included_path_that_finds_nothing_is_left_out_or_null(run_snap: Any) -> None:
    settings = {"json_path": "$a", "include_paths": ["$b.c"]}
    given = [{"a": [{"n": 1}]}]
    assert run_snap("JSONSplitter", settings, given).output == [{"n": 1}]
    shown = {**settings, "show_null_values": True}
    assert run_snap("JSONSplitter", shown, given).output == [{"n": 1, "b": {"c": None}}]


def test_an_empty_list_drops_its_document(run_snap: Any) -> None:
    run = run_snap("JSONSplitter", {"json_path": "$a"}, [{"a": []}, {"a": [{"n": 1}]}])
    assert (run.output, run.dropped) == ([{"n": 1}], 1)


@pytest.mark.parametrize("document", [{}, {"a": None}])
def test_a_missing_list_fails_its_document_unless_access_is_null_safe(
    run_snap: Any, document: dict[str, Any]
) -> None:
    run = run_snap("JSONSplitter", {"json_path": "$a"}, [document], on_error="route")
    assert [error["original"] for error in run.errors] == [document]
    safe = {"json_path": "$a", "null_safe_access": True}
    run = run_snap("JSONSplitter", safe, [document])
    assert (run.output, run.dropped) == ([], 1)


def test_something_else_than_a_list_is_an_error_that_names_it(run_snap: Any) -> None:
    given = [{"a": "text"}, {"a": [{"n": 1}]}]
    run = run_snap("JSONSplitter", {"json_path": "$a"}, given, on_error="route")
    assert run.output == [{"n": 1}]
    [error] = run.errors
    assert error["error"] == "JSON Splitter expects a list"
    assert error["reason"] == "it found \"text\" at '$a'"
    assert error["original"] == {"a": "text"}
    assert "json_path" in error["resolution"]


def test_elements_that_are_not_objects_are_called_split_value(run_snap: Any) -> None:
    given = [{"a": [{"n": 1}, 5, None, ["x"]], "b": 2}]
    settings = {"json_path": "$a", "include_scalar_parents": True}
    assert run_snap("JSONSplitter", settings, given).output == [
        {"n": 1, "b": 2},
        {"splitValue": 5, "b": 2},
        {"splitValue": None, "b": 2},
        {"splitValue": ["x"], "b": 2},
    ]


@pytest.mark.parametrize("path", ["$a[*].name", "$a[*].names[*]"])
def test_a_field_of_each_element_is_called_split_value_too(run_snap: Any, path: str) -> None:
    given = [{"a": [{"name": "x", "names": ["x"]}, {"name": "y", "names": ["y"]}]}]
    output = run_snap("JSONSplitter", {"json_path": path}, given).output
    assert output == [{"splitValue": "x"}, {"splitValue": "y"}]


def test_a_failure_stops_the_pipeline_unless_errors_are_routed(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="JSON Splitter expects a list: it found 1 at"):
        run_snap("JSONSplitter", {"json_path": "$a"}, [{"a": [{"n": 1}]}, {"a": 1}])


def test_decimals_keep_their_digits(run_snap: Any) -> None:
    given = [{"a": [{"n": Decimal("1.500")}]}]
    output = run_snap("JSONSplitter", {"json_path": "$a"}, given, exact=True).output
    assert str(output[0]["n"]) == "1.500"


def test_a_change_behind_one_element_does_not_reach_another(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  s: {snap: JSONSplitter, json_path: $a, include_paths: [$tags]}\n"
        "  m: {snap: Mapper, mappings: {$all: '$tags.push($n)', $tags: $tags}}\n"
        "links: [s -> m]\n"
    )
    given = [{"tags": [0], "a": [{"n": 1}, {"n": 2}]}]
    report = api.run(tmp_path / "p.yaml", inputs={"s": given})
    assert [each["tags"] for each in report.outputs["m.output"]] == [[0, 1], [0, 2]]
    assert given == [{"tags": [0], "a": [{"n": 1}, {"n": 2}]}]


def test_the_document_itself_is_not_a_path_to_include(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="cannot be added to itself"):
        run_snap("JSONSplitter", {"json_path": "$a", "include_paths": ["$"]}, [])


def test_each_request_gets_its_own_elements(tmp_path: Path) -> None:
    snaps = """\
  list: {snap: Mapper, mappings: {"$list": "$request == 2 ? [] : [{n: $request}]"}}
  split: {snap: JSONSplitter, json_path: $list}"""
    outcomes, _ = run_ultra(tmp_path, snaps, ["list -> split"], requests(1, 2), requests(3))
    assert outcomes.answers == {1: [{"n": 1}], 2: ["filtered"], 3: [{"n": 3}]}
