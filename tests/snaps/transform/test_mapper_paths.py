"""The paths of a Mapper: what rows without a target delete, and which names a target may have."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from engine.errors import Problem
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover

ORDERS: dict[str, Any] = {
    "limit": 2,
    "orders": [
        {"id": 1, "note": None, "lines": [{"x": 1, "y": 2}, {"x": 3}]},
        {"id": 2, "note": "n", "lines": []},
        {"id": 3, "lines": [{"x": None}]},
    ],
}


def deleted(run_snap: Any, path: str, given: Any, **settings: Any) -> Any:
    """The document without the value at `path`; the input must stay unchanged."""
    before = copy.deepcopy(given)
    settings = {"mappings": [{"expression": path}], "pass_through": True, **settings}
    (document,) = run_snap("Mapper", settings, [given]).output
    assert given == before
    return document


def orders(*left: Any) -> dict[str, Any]:
    return {"limit": 2, "orders": list(left)}


FIRST, SECOND, THIRD = ORDERS["orders"]


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$orders", {"limit": 2}),
        ("$orders[0]", orders(SECOND, THIRD)),
        ("$orders[-1]", orders(FIRST, SECOND)),
        ("$orders[1:]", orders(FIRST)),
        ("$orders[::-2]", orders(SECOND)),
        ("$orders[0, -1]", orders(SECOND)),
        ("$orders[0,0,-3]", orders(SECOND, THIRD)),
        ("$orders[*]", orders()),
        ("$orders[?(value.id >= $limit)]", orders(FIRST)),
        ("$orders[?(key == 1)]", orders(FIRST, THIRD)),
        ("$orders[(value.length - 1)]", orders(FIRST, SECOND)),
        ("$['orders'] [ 2 ]", orders(FIRST, SECOND)),
        ("jsonPath($, '$.orders[1:]')", orders(FIRST)),
        ('jsonPath($, "orders[1:]")', orders(FIRST)),
    ],
)
def test_a_row_without_target_deletes_what_its_path_selects(
    run_snap: Any, path: str, left: Any
) -> None:
    assert deleted(run_snap, path, ORDERS) == left


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$a.b[*].x", {"a": {"b": [{"y": 2}, {}, 7, {"y": 4}]}}),
        ("$a.b[0,1].x", {"a": {"b": [{"y": 2}, {}, 7, {"x": None, "y": 4}]}}),
        ("$a.b[*]['x', 'y']", {"a": {"b": [{}, {}, 7, {}]}}),
        ("$..x", {"a": {"b": [{"y": 2}, {}, 7, {"y": 4}]}}),
        ("$..[?(value == null)]", {"a": {"b": [{"x": 1, "y": 2}, {"x": 3}, 7, {"y": 4}]}}),
        ("$..[?(value.x == 3)]", {"a": {"b": [{"x": 1, "y": 2}, 7, {"x": None, "y": 4}]}}),
        ("$..[?(value.y)].x", {"a": {"b": [{"y": 2}, {"x": 3}, 7, {"y": 4}]}}),
        ("$..b[?(value.y)][?(value > 1)]", {"a": {"b": [{"x": 1}, {"x": 3}, 7, {"x": None}]}}),
        ("$..[0]", {"a": {"b": [{"x": 3}, 7, {"x": None, "y": 4}]}}),
        ("$..*", {}),
        ("$absent[*].x", None),
    ],
)
def test_a_row_without_target_deletes_at_any_depth(run_snap: Any, path: str, left: Any) -> None:
    given = {"a": {"b": [{"x": 1, "y": 2}, {"x": 3}, 7, {"x": None, "y": 4}]}}
    if left is None:
        assert deleted(run_snap, path, given, null_safe_access=True) == given
    else:
        assert deleted(run_snap, path, given) == left


def test_a_condition_sees_the_document_as_it_was_before_the_row(run_snap: Any) -> None:
    given = {"bad": 1, "list": [1, 2, 1, {"x": 1}]}
    assert deleted(run_snap, "$..[?(value == $bad)]", given) == {"list": [2, {}]}


def test_a_mapping_root_limits_what_is_deleted(run_snap: Any) -> None:
    given = {"x": 0, "people": [{"x": 1, "tags": [{"x": 2}]}, {"x": None, "tags": []}]}
    left = {"x": 0, "people": [{"tags": [{}]}, {"tags": []}]}
    assert deleted(run_snap, "$..x", given, mapping_root="$people[*]") == left
    first = deleted(run_snap, "$tags[0].x", given, mapping_root="$people[0]")
    assert first["people"][0] == {"x": 1, "tags": [{}]}


def test_what_is_not_there_cannot_be_deleted_unless_null_safe(run_snap: Any) -> None:
    settings = {"mappings": [{"expression": "$b.c"}], "pass_through": True}
    result = run_snap("Mapper", settings, [{"a": 1}], on_error="route")
    assert result.output == []
    assert "`$b.c`, does not exist" in result.errors[0]["reason"]
    assert run_snap("Mapper", {**settings, "null_safe_access": True}, [{"a": 1}]).output == [
        {"a": 1}
    ]


def test_a_later_row_may_write_what_an_earlier_one_deleted(run_snap: Any) -> None:
    rows = [{"expression": "$a[*]"}, {"target": "$a[0]", "expression": "$a[1]"}]
    settings = {"mappings": rows, "pass_through": True}
    assert run_snap("Mapper", settings, [{"a": [1, 2]}]).output == [{"a": [2]}]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("$a[*", "expected `]`"),
        ("$a.b c", "expected `.` or `[`"),
        ("$a[?(value.nope())]", "there is no method `nope`"),
        ("jsonPath($, '$a[')", "expected a position"),
        ("jsonPath($a, '$b')", "may only be written as"),
        ("jsonPath($, '$a').b", "may only be written as"),
    ],
)
def test_a_mistake_in_a_deleted_path_is_found_by_the_check(path: str, complaint: str) -> None:
    (problem,) = problems_of([{"expression": path}])
    assert problem.code == "bad-path"
    assert complaint in problem.message


def problems_of(mappings: Any) -> list[Problem]:
    snaps = {"map": {"snap": "Mapper", "mappings": mappings}}
    return check_spec(parse(json.dumps({"snaps": snaps})), discover())


@pytest.mark.parametrize(
    ("target", "document"),
    [
        ("$Create TimeStamp", {"Create TimeStamp": 1}),
        ("$IsAllGood?", {"IsAllGood?": 1}),
        ("IsAllGood?", {"IsAllGood?": 1}),
        ("$Total, net", {"Total, net": 1}),
        ('$it\'s "so"', {'it\'s "so"': 1}),
        ("$user@host", {"user@host": 1}),
        ("$a*b", {"a*b": 1}),
        ("$Content-Type", {"Content-Type": 1}),
        ("$2nd place", {"2nd place": 1}),
        ("$größe in m²", {"größe in m²": 1}),
        ("$日本 語", {"日本 語": 1}),
        ("  $ padded name  ", {"padded name": 1}),
        ("$a b.c d", {"a b": {"c d": 1}}),
        ("$a b .c", {"a b": {"c": 1}}),
        ("$a b[0].c d", {"a b": [{"c d": 1}]}),
        ("$a b['c.d']", {"a b": {"c.d": 1}}),
    ],
)
def test_a_name_in_a_target_ends_only_at_a_dot_or_a_bracket(
    run_snap: Any, target: str, document: Any
) -> None:
    assert problems_of({target: "1"}) == []
    assert run_snap("Mapper", {"mappings": {target: "1"}}, [{}]).output == [document]


def test_a_name_with_a_parenthesis_needs_brackets(run_snap: Any) -> None:
    (problem,) = problems_of({"$tags (x)": "1"})
    assert problem.hint == "if the field has this name, write $['tags (x)']"
    settings = {"mappings": {"$['tags (x)']": "1"}}
    assert run_snap("Mapper", settings, [{}]).output == [{"tags (x)": 1}]


def test_such_a_name_can_be_written_into_every_element(run_snap: Any) -> None:
    settings = {"mappings": {"$list[*].Is it?": "true"}, "pass_through": True}
    output = run_snap("Mapper", settings, [{"list": [{}, {"a": 1}]}]).output
    assert output == [{"list": [{"Is it?": True}, {"a": 1, "Is it?": True}]}]
