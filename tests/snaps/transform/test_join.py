from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError

BY_K = {"join_paths": [{"left_path": "$k", "right_path": "$k"}]}
TINY = 1
"""Bytes of memory: everything goes to disk."""


def joined(run_snap: Any, left: Any, right: Any, **settings: Any) -> list[dict[str, Any]]:
    given = {"left": left, "right": right}
    output: list[dict[str, Any]] = run_snap("Join", {**BY_K, **settings}, given, exact=True).output
    return output


def expected(kind: str, left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[Any]:
    """Every document with every other one, as the rules say."""
    result = []
    for one in left:
        matches = [each for each in right if one["k"] is not None and each["k"] == one["k"]]
        result += [{**one, "right_k": each["k"], "r": each["r"]} for each in matches]
        result += [one] * (not matches and kind != "inner")
    if kind == "outer":
        keys = {one["k"] for one in left} - {None}
        rest = [each for each in right if each["k"] not in keys]
        result += [{"right_k": each["k"], "r": each["r"]} for each in rest]
    return result


def streams(seed: int, keys: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    choose = random.Random(seed)
    values = [None, *range(keys)]
    left = [{"k": choose.choice(values), "l": number} for number in range(150)]
    right = [{"k": choose.choice(values), "r": number} for number in range(100)]
    return left, right


@pytest.mark.parametrize("keys", [2, 60])
@pytest.mark.parametrize("memory", [TINY, "30 kB", "256 MiB"])
@pytest.mark.parametrize("kind", ["inner", "left_outer", "outer"])
def test_unsorted_inputs_are_joined_in_the_order_of_the_left_one(
    run_snap: Any, kind: str, memory: Any, keys: int
) -> None:
    left, right = streams(keys, keys)
    output = joined(run_snap, left, right, join_type=kind, memory=memory)
    assert output == expected(kind, left, right)


@pytest.mark.parametrize("memory", [TINY, "256 MiB"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("kind", ["inner", "left_outer", "outer"])
def test_sorted_inputs_give_the_same_documents(
    run_snap: Any, kind: str, order: str, memory: Any
) -> None:
    sides = streams(7, 30)
    down = order == "descending"
    left, right = (
        sorted(side, key=lambda each: -1 if each["k"] is None else each["k"], reverse=down)
        for side in sides
    )
    output = joined(run_snap, left, right, join_type=kind, sorted_streams=order, memory=memory)
    wanted = expected(kind, left, right)
    if kind == "outer":  # right documents without a match are where their keys are
        output, wanted = sorted(output, key=repr), sorted(wanted, key=repr)
    assert output == wanted


def test_sorted_inputs_that_are_not_sorted_are_an_error(run_snap: Any) -> None:
    message = (
        "the documents of the input 'left' are not in ascending order: document 3 has the key 1; "
        "sort the input by its key, or set sorted_streams to unsorted"
    )
    with pytest.raises(SnapFailedError, match=message):
        joined(run_snap, [{"k": 1}, {"k": 2}, {"k": 1}], [{"k": 1}], sorted_streams="ascending")


def test_the_fields_of_both_are_merged_and_clashes_get_the_name_of_the_right_input(
    run_snap: Any,
) -> None:
    left = [{"a": 1, "k": 1, "right_k": "x"}, {"k": 1, "b": 2}]
    right = [{"b": 3, "k": 1, "c": 4}]
    output = joined(run_snap, left, right)
    assert [list(document.items()) for document in output] == [
        [("a", 1), ("k", 1), ("right_k", "x"), ("b", 3), ("right_right_k", 1), ("c", 4)],
        [("k", 1), ("b", 2), ("right_b", 3), ("right_k", 1), ("c", 4)],
    ]


def test_right_documents_of_different_shapes_keep_their_own_names(run_snap: Any) -> None:
    left = [{"k": 1, "x": 0}, {"k": 1}]
    right = [{"k": 1, "x": 1}, {"k": 1, "right_x": 2}]
    assert joined(run_snap, left, right) == [
        {"k": 1, "x": 0, "right_k": 1, "right_x": 1},
        {"k": 1, "x": 0, "right_k": 1, "right_x": 2},
        {"k": 1, "right_k": 1, "x": 1},
        {"k": 1, "right_k": 1, "right_x": 2},
    ]


@pytest.mark.parametrize("sorted_streams", ["unsorted", "ascending"])
@pytest.mark.parametrize(
    ("left", "right", "matches"),
    [
        (1, Decimal("1.0"), True),
        (0.1, Decimal("0.1"), True),
        (1, "1", False),
        (1, True, False),
        (None, None, False),
        ("é", "é", True),
        ([1], [1], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_values_match_if_they_and_their_types_are_equal(
    run_snap: Any, left: Any, right: Any, matches: bool, sorted_streams: str
) -> None:
    output = joined(run_snap, [{"k": left}], [{"k": right}], sorted_streams=sorted_streams)
    assert bool(output) is matches


def test_several_rows_must_all_match(run_snap: Any) -> None:
    paths = [
        {"left_path": "$a", "right_path": "$x"},
        {"left_path": "$b.c", "right_path": "$y.toUpperCase()"},
    ]
    left = [{"a": 1, "b": {"c": "P"}}, {"a": 1, "b": {"c": "Q"}}, {"a": None, "b": {"c": "P"}}]
    output = joined(run_snap, left, [{"x": 1, "y": "p"}, {"x": None, "y": "p"}], join_paths=paths)
    assert output == [{"a": 1, "b": {"c": "P"}, "x": 1, "y": "p"}]


@pytest.mark.parametrize("sorted_streams", ["unsorted", "ascending"])
def test_several_right_inputs_are_joined_one_after_the_other(
    run_snap: Any, sorted_streams: str
) -> None:
    settings = {
        "join_type": "left_outer",
        "sorted_streams": sorted_streams,
        "join_paths": [
            {"left_path": "$id", "right_input": "orders", "right_path": "$customer"},
            {"left_path": "$item", "right_input": "items", "right_path": "$item"},
        ],
        "null_safe_access": True,
    }
    given = {
        "customers": [{"id": 1}, {"id": 2}],
        "orders": [{"customer": 1, "item": 4}, {"customer": 1, "item": 5}],
        "items": [{"item": 5, "name": "bolt"}],
    }
    assert run_snap("Join", settings, given).output == [
        {"id": 1, "customer": 1, "item": 4},
        {"id": 1, "customer": 1, "item": 5, "items_item": 5, "name": "bolt"},
        {"id": 2},
    ]


@pytest.mark.parametrize("sorted_streams", ["unsorted", "ascending"])
def test_constants_join_everything_with_everything(run_snap: Any, sorted_streams: str) -> None:
    constants = [{"left_path": "1", "right_path": "1"}]
    left, right = [{"l": n} for n in range(40)], [{"r": n} for n in range(60)]
    output = joined(
        run_snap, left, right, join_paths=constants, sorted_streams=sorted_streams, memory=5000
    )
    assert output == [{"l": a, "r": b} for a in range(40) for b in range(60)]


@pytest.mark.parametrize("memory", [TINY, "256 MiB"])
def test_merge_joins_by_position_and_passes_on_the_rest(run_snap: Any, memory: Any) -> None:
    given = {
        "a": [{"x": n} for n in range(200)],
        "b": [{"x": -n} for n in range(100)],
        "c": [{"z": n} for n in range(300)],
    }
    settings = {"join_type": "merge", "memory": memory}
    output = run_snap("Join", settings, given).output
    assert output[1] == {"x": 1, "b_x": -1, "z": 1}
    assert output[150] == {"x": 150, "z": 150}
    assert output[250] == {"z": 250}
    assert len(output) == 300


@pytest.mark.parametrize("sorted_streams", ["unsorted", "ascending"])
@pytest.mark.parametrize("memory", [TINY, "256 MiB"])
def test_left_documents_without_a_match_are_dropped_or_go_to_the_error_view(
    run_snap: Any, memory: Any, sorted_streams: str
) -> None:
    settings = {**BY_K, "memory": memory, "sorted_streams": sorted_streams}
    given = {"left": [{"k": 1}, {"k": 2}, {"k": 3}], "right": [{"k": 2}]}
    result = run_snap("Join", settings, given)
    assert (len(result.output), result.dropped, result.errors) == (1, 2, [])
    result = run_snap("Join", {**settings, "no_match_data": True}, given, on_error="route")
    assert [error["original"] for error in result.errors] == [{"k": 1}, {"k": 3}]
    assert result.dropped == 0


def test_a_missing_path_fails_its_document_unless_access_is_null_safe(run_snap: Any) -> None:
    given = {"left": [{"k": 1}, {}], "right": [{"k": 1, "r": 1}, {"r": 2}]}
    result = run_snap("Join", BY_K, given, on_error="route")
    assert [error["original"] for error in result.errors] == [{"r": 2}, {}]
    assert run_snap("Join", {**BY_K, "null_safe_access": True}, given).errors == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"left_path": "$k", "right_path": "$k"}, "the row does not say which right input"),
        ({"right_input": "B"}, "there is no right input 'B'"),
        ({"right_input": "a"}, "'a' is the left input, since it is linked first"),
        ({"right_input": "b"}, "no row of join_paths joins the input 'c'"),
        ({"left_path": None}, "the setting 'left_path' is missing"),
    ],
)
def test_mistakes_in_the_rows_are_found_when_checking(
    run_snap: Any, row: dict[str, Any], message: str
) -> None:
    rows = [{"left_path": "$k", "right_path": "$k", **row}]
    with pytest.raises(InvalidPipelineError, match=message):
        run_snap("Join", {"join_paths": rows}, {"a": [], "b": [], "c": []})


DIAMOND = """
snaps:
  both: {snap: Copy}
  sort: {snap: Sort, sort_paths: [$k], memory: 300 kB}
  join:
    snap: Join
    join_paths: [{left_path: $k, right_path: $k}]
    sorted_streams: %s
    memory: 300 kB
links: [both -> %s, both -> %s]
"""


@pytest.mark.parametrize("sorted_streams", ["unsorted", "ascending"])
@pytest.mark.parametrize(
    "links", [("join.all", "sort -> join.sorted"), ("sort -> join.sorted", "join.all")]
)
def test_copies_of_which_one_is_sorted_are_joined_without_a_deadlock(
    tmp_path: Path, links: tuple[str, str], sorted_streams: str
) -> None:
    (tmp_path / "diamond.yaml").write_text(DIAMOND % (sorted_streams, *links))
    documents = [{"k": number, "text": "x" * 50} for number in range(6000)]
    report = api.run(tmp_path / "diamond.yaml", inputs={"both": documents})
    assert len(report.outputs["join.output"]) == 6000


ULTRA = """
snaps:
  ask: {snap: Mapper, mappings: {$k: $content.k}}
  prices: {snap: JSONGenerator, documents: [{k: 1, price: 5}]}
  join: {snap: Join, join_paths: [{left_path: $k, right_path: $k}]%s}
links: [%s]
"""


def ultra_problems(folder: Path, settings: str, links: str) -> list[str]:
    (folder / "pipeline.yaml").write_text(ULTRA % (settings, links))
    (folder / "task.yaml").write_text("type: ultra\npipeline: pipeline.yaml\n")
    return [problem.message for problem in api.check(folder / "task.yaml")]


def test_requests_may_be_joined_with_what_is_no_request(tmp_path: Path) -> None:
    assert ultra_problems(tmp_path, "", "ask -> join, prices -> join") == []


@pytest.mark.parametrize(
    ("settings", "links", "message"),
    [
        ("", "prices -> join, ask -> join.requests", "requests arrive there, and they never end"),
        (", join_type: merge", "ask -> join, prices -> join", "joins documents by position"),
        (", join_type: outer", "ask -> join, prices -> join", "passes on right documents"),
        (", sorted_streams: ascending", "ask -> join, prices -> join", "waits for the next"),
    ],
)
def test_what_cannot_answer_requests_is_refused_in_an_ultra_task(
    tmp_path: Path, settings: str, links: str, message: str
) -> None:
    (problem,) = ultra_problems(tmp_path, settings, links)
    assert message in problem
