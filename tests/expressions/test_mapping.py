"""The rows of a Mapper: targets, deletions, pass-through, mapping root."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EvaluationError, ExpressionSyntaxError
from engine.expressions import Scope, compile_mapping

Rows = list[tuple[str, str]]


def mapped(rows: Rows, document: Any, **settings: Any) -> Any:
    """The output; the input must stay as it was."""
    before = copy.deepcopy(document)
    output = compile_mapping(rows, **settings)(document)
    assert document == before
    return output


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("$a", {"a": 1}),
        ("a", {"a": 1}),
        ("$.a", {"a": 1}),
        ("$a.b.c", {"a": {"b": {"c": 1}}}),
        ("a.b", {"a": {"b": 1}}),
        ("$['last name']", {"last name": 1}),
        ('$["Full Name"]', {"Full Name": 1}),
        ("['last name']", {"last name": 1}),
        ("$a['x y'].b", {"a": {"x y": {"b": 1}}}),
        ("$MoreThan10K-Boolean", {"MoreThan10K-Boolean": 1}),
        ("$['Access-Control-Allow-Origin']", {"Access-Control-Allow-Origin": 1}),
        ("$ns:tag", {"ns:tag": 1}),
        ("$names[(value.length)]", {"names": [1]}),
        ("$list[0].x", {"list": [{"x": 1}]}),
        ("$list[2]", {"list": [None, None, 1]}),
        ("$a[(_key)]", {"a": {"k": 1}}),
    ],
)
def test_a_target_path_creates_what_is_missing(target: str, expected: Any) -> None:
    assert mapped([(target, "1")], {}, scope=Scope(parameters={"key": "k"})) == expected


def test_rows_build_a_nested_document_in_the_order_of_their_targets() -> None:
    rows: Rows = [("$content.pred", "$p"), ("$status", "200"), ("$content.conf", "$c")]
    output = mapped(rows, {"p": 7, "c": 0.9})
    assert output == {"content": {"pred": 7, "conf": 0.9}, "status": 200}
    assert list(output) == ["content", "status"]


def test_every_row_sees_the_input_and_not_the_result_of_another_row() -> None:
    rows: Rows = [("$a", "$a + 1"), ("$b", "$a")]
    assert mapped(rows, {"a": 1}, pass_through=True) == {"a": 2, "b": 1}


def test_a_later_row_overwrites_an_earlier_one() -> None:
    assert mapped([("$a", "1"), ("$a", "2")], {}) == {"a": 2}


def test_a_later_row_refines_what_an_earlier_row_wrote() -> None:
    rows: Rows = [("$request", "$request"), ("$request.start", "1")]
    assert mapped(rows, {"request": {"x": 0}}) == {"request": {"x": 0, "start": 1}}


def test_the_reversed_order_loses_the_refinement() -> None:
    rows: Rows = [("$request.start", "1"), ("$request", "$request")]
    assert mapped(rows, {"request": {"x": 0}}) == {"request": {"x": 0}}


def test_a_null_result_is_written_as_null() -> None:
    assert mapped([("$a", "$b")], {"b": None}) == {"a": None}


def test_a_missing_field_is_an_error_that_names_the_row() -> None:
    with pytest.raises(EvaluationError, match=r"`\$absent` is not in the document") as caught:
        mapped([("$a", "1"), ("$b", "$absent")], {})
    assert caught.value.text == "$absent"


def test_a_missing_field_is_null_with_null_safe_access() -> None:
    rows: Rows = [("$a", "$absent.deep.trim()"), ("$b", "$absent != null ? 1 : 'd'")]
    assert mapped(rows, {}, null_safe=True) == {"a": None, "b": "d"}


def test_the_first_failing_row_is_the_one_reported() -> None:
    rows: Rows = [("$x.a", "$first"), ("$y", "$second"), ("$x.b", "$third")]
    with pytest.raises(EvaluationError) as caught:
        mapped(rows, {})
    assert caught.value.text == "$first"


def test_pass_through_keeps_the_order_and_appends_new_keys() -> None:
    output = mapped([("$c", "3"), ("$a", "0")], {"a": 1, "b": 2}, pass_through=True)
    assert list(output.items()) == [("a", 0), ("b", 2), ("c", 3)]


def test_pass_through_with_a_deep_target_leaves_the_input_alone() -> None:
    document = {"a": {"b": 1}, "list": [{"x": 1}, {"x": 2}]}
    rows: Rows = [("$a.c", "2"), ("$list[*].x", "9"), ("$list[0].y", "1")]
    output = mapped(rows, document, pass_through=True)
    assert output == {"a": {"b": 1, "c": 2}, "list": [{"x": 9, "y": 1}, {"x": 9}]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("$names[(value.length)]", "'c'")], {"names": ["a", "b", "c"]}),
        (
            [("$names[(value.length)]", "'c'"), ("$names[(value.length)]", "'d'")],
            {"names": ["a", "b", "c", "d"]},
        ),
        ([("$names[-1]", "'z'")], {"names": ["a", "z"]}),
        ([("$names[0:1]", "'z'")], {"names": ["z", "b"]}),
        ([("$names[?(value == 'b')]", "'z'")], {"names": ["a", "z"]}),
    ],
)
def test_a_target_may_address_elements(rows: Rows, expected: Any) -> None:
    assert mapped(rows, {"names": ["a", "b"]}, pass_through=True) == expected


def test_a_target_may_append_to_each_of_several_arrays() -> None:
    output = mapped([("$l[*][(value.length)]", "0")], {"l": [[1], []]}, pass_through=True)
    assert output == {"l": [[1, 0], [0]]}


def test_a_target_below_a_value_that_is_not_an_object_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="a number cannot hold `b`"):
        mapped([("$a.b", "1")], {"a": 5}, pass_through=True)


@pytest.mark.parametrize("target", ["", "  "])
def test_a_row_without_target_deletes(target: str) -> None:
    assert mapped([(target, "$a.b")], {"a": {"b": 1, "c": 2}}, pass_through=True) == {"a": {"c": 2}}


def test_all_nulls_can_be_deleted() -> None:
    document = {"a": None, "b": [None, {"c": None, "d": 1}]}
    output = mapped([("", "$..[?(value == null)]")], document, pass_through=True)
    assert output == {"b": [{"d": 1}]}


def test_deleting_several_elements_removes_the_right_ones() -> None:
    document = {"l": [1, 2, 3, 4]}
    assert mapped([("", "$l[0,2]")], document, pass_through=True) == {"l": [2, 4]}


@pytest.mark.parametrize("pass_through", [True, False])
def test_deleting_what_is_not_there_is_an_error(pass_through: bool) -> None:
    document = {} if pass_through else {"a": 1}
    with pytest.raises(EvaluationError, match=r"the field to delete, `\$a`, does not exist"):
        mapped([("", "$a")], document, pass_through=pass_through)


def test_an_object_written_to_the_root_becomes_the_document() -> None:
    assert mapped([("$", "$employee")], {"employee": {"n": 1}}) == {"n": 1}


def test_an_object_written_to_the_root_is_merged_into_the_document() -> None:
    rows: Rows = [("$x", "1"), ("$", "$o"), ("$y", "2")]
    assert mapped(rows, {"o": {"x": 0, "z": 3}}) == {"x": 0, "z": 3, "y": 2}


def test_only_an_object_can_be_written_to_the_root() -> None:
    with pytest.raises(EvaluationError, match="only an object can be written to `\\$`"):
        mapped([("$", "5")], {})


def test_a_mapping_root_applies_the_table_to_one_object() -> None:
    document = {"a": {"b": {"x": 1, "y": 2}, "c": 3}, "d": 4}
    output = mapped([("$x", "$x + 1")], document, mapping_root="$a.b")
    assert output == {"a": {"b": {"x": 2}, "c": 3}, "d": 4}


def test_a_mapping_root_applies_the_table_to_each_element() -> None:
    document = {"n": 1, "w": [{"x": 1, "y": 0}, {"x": 2, "y": 0}]}
    output = mapped([("$x", "$x * 10")], document, mapping_root="$w[*]", pass_through=True)
    assert output == {"n": 1, "w": [{"x": 10, "y": 0}, {"x": 20, "y": 0}]}


def test_a_mapping_root_that_is_not_there_is_an_error_unless_null_safe() -> None:
    with pytest.raises(EvaluationError, match="mapping root"):
        mapped([("$x", "1")], {}, mapping_root="$a")
    assert mapped([("$x", "1")], {"b": 1}, mapping_root="$a", null_safe=True) == {"b": 1}


def test_rows_that_change_the_document_run_once_and_in_order() -> None:
    function = compile_mapping([("$a", "$l.push(2)"), ("$b", "$l.length")])
    document = {"l": [1]}
    assert function.mutates
    assert function(document) == {"a": 2, "b": 2}
    assert document == {"l": [1, 2]}


@pytest.mark.parametrize(("target", "source"), [("$a[", "1"), ("$a", "1 +"), ("", "$a[?")])
def test_a_row_that_cannot_be_read_is_refused_at_once(target: str, source: str) -> None:
    with pytest.raises(ExpressionSyntaxError):
        compile_mapping([(target, source)])


def test_a_mapping_may_have_thousands_of_rows() -> None:
    rows: Rows = [(f"$f{n}", f"$a + {n}") for n in range(2_000)]
    assert mapped(rows, {"a": 1})["f1999"] == 2_000


INSIDE: list[Any] = [None, 1, "text", [1], {}, {"b": 1, "z": [2]}, {"b": {"c": 1}, "d": {}}]
TARGETS = ["$a", "$a.b", "$a.b.c", "$a.d", "$x", "$x.y", "$['a b'].c"]


@given(
    document=st.dictionaries(st.sampled_from(["a", "x", "v", "a b"]), st.sampled_from(INSIDE)),
    targets=st.lists(st.sampled_from(TARGETS), unique=True, max_size=4),
    pass_through=st.booleans(),
)
@settings(max_examples=500)
def test_nested_targets_give_what_writing_row_by_row_gives(
    document: dict[str, Any], targets: list[str], pass_through: bool
) -> None:
    at_once = [(target, f"[$v, {place}]") for place, target in enumerate(targets)]
    one_by_one = [(target, f"[{text}, eval('0')][0]") for target, text in at_once]
    before = copy.deepcopy(document)
    results = [written(rows, document, pass_through=pass_through) for rows in (at_once, one_by_one)]
    assert results[0] == results[1]
    assert document == before


def written(rows: list[tuple[str, str]], document: Any, *, pass_through: bool) -> Any:
    """The items of the result in their order, or what is wrong."""
    try:
        return json.dumps(compile_mapping(rows, pass_through=pass_through)(document))
    except EvaluationError as error:
        return error.message, error.target


def test_only_the_objects_on_the_way_to_a_nested_target_are_copied() -> None:
    document = {"a": {"b": 1, "kept": {"deep": [1]}}, "other": {"big": [1]}}
    made = compile_mapping([("$a.c", "2")], pass_through=True)(document)
    assert made == {"a": {"b": 1, "kept": {"deep": [1]}, "c": 2}, "other": {"big": [1]}}
    assert document["a"] == {"b": 1, "kept": {"deep": [1]}}
    assert made["other"] is document["other"]
    assert made["a"]["kept"] is document["a"]["kept"]
