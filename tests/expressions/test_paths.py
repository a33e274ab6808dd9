"""Paths: parsing, finding, writing and deleting, as in Sort, Splitter and Mapper."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationError, ExpressionSyntaxError
from engine.expressions import MISSING, Scope, parse_path

DOCUMENT: dict[str, Any] = {
    "a": {"b": 1, "x y": {"z": 2}},
    "list": [{"f": 1}, {"f": 2}, {"g": 3}],
    "MoreThan10K-Boolean": True,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$", DOCUMENT),
        ("$a.b", 1),
        ("a.b", 1),
        ("$.a.b", 1),
        (" $a.b ", 1),
        ("$['a']['b']", 1),
        ("['a'].b", 1),
        ("$a['x y'].z", 2),
        ("$MoreThan10K-Boolean", True),
        ("$list[0].f", 1),
        ("$list[-1].g", 3),
        ("$list[(value.length - 1)].g", 3),
        ("$a[(_name)]", 1),
        ("$list[*].f", [1, 2]),
        ("$list[1:]", [{"f": 2}, {"g": 3}]),
        ("$list[0,2]", [{"f": 1}, {"g": 3}]),
        ("$list[?(value.f)].f", [1, 2]),
        ("$list[?(!value.f)].g", [3]),
        ("$list[?(value.get('f') > 1)].f", [2]),
        ("$..f", [1, 2]),
        ("$list.length()", 3),
        ("$list[*].f.sort_desc(value)", [2, 1]),
        ("$nothing", None),
    ],
)
def test_a_path_gets_its_value(text: str, value: Any) -> None:
    assert parse_path(text, Scope(parameters={"name": "b"})).get(DOCUMENT) == value


@pytest.mark.parametrize("text", ["$absent", "$a.absent", "$a.b.c", "$list[9]", "$nothing.x"])
def test_what_is_not_there_is_the_default_or_an_error(text: str) -> None:
    path = parse_path(text)
    assert path.get(DOCUMENT, "default") == "default"
    assert path.query(DOCUMENT) == []
    with pytest.raises(EvaluationError, match="finds nothing") as caught:
        path.get(DOCUMENT)
    assert caught.value.text == text


def test_a_stored_null_is_not_replaced_by_the_default() -> None:
    assert parse_path("$nothing").get(DOCUMENT, MISSING) is None
    assert parse_path("$nothing").query(DOCUMENT) == [None]


def test_a_query_returns_all_values() -> None:
    assert parse_path("$list[*].f").query(DOCUMENT) == [1, 2]
    assert parse_path("$a.b").query(DOCUMENT) == [1]


def test_a_misspelled_name_is_noticed() -> None:
    with pytest.raises(EvaluationError) as caught:
        parse_path("$lsit").get(DOCUMENT)
    assert caught.value.hint == "did you mean `list`?"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("$a.", 3),
        ("$a[", 3),
        ("$a[1", 4),
        ("$a[x]", 3),
        ("$a b", 2),
        ("$a[?(", 4),
        ("$a[?x]", 4),
        ("$a[::0]", 6),
        ("$a[(1 +)]", 7),
        ("$a.foo(value)", 3),
        ("$a.length(1)", 3),
        ("$a..", 4),
        ("$a['x", 3),
    ],
)
def test_a_path_that_cannot_be_read_says_where(text: str, offset: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_path(text)
    assert caught.value.offset == offset


def test_writing_returns_a_new_document() -> None:
    before = copy.deepcopy(DOCUMENT)
    changed = parse_path("$a.b").set(DOCUMENT, 9)
    assert changed["a"] == {"b": 9, "x y": {"z": 2}}
    assert before == DOCUMENT
    assert changed["list"] is DOCUMENT["list"]


def test_deleting_returns_a_new_document() -> None:
    changed = parse_path("$list[*].f").delete(DOCUMENT)
    assert changed["list"] == [{}, {}, {"g": 3}]
    assert DOCUMENT["list"][0] == {"f": 1}


def test_the_document_itself_cannot_be_deleted() -> None:
    with pytest.raises(EvaluationError, match="cannot be deleted"):
        parse_path("$").delete(DOCUMENT)


def test_what_a_method_computes_cannot_be_written() -> None:
    with pytest.raises(EvaluationError, match="cannot be written"):
        parse_path("$list.first()").set(DOCUMENT, 1)


def test_writing_at_any_depth_does_not_descend_into_written_values() -> None:
    document = {"x": 0, "a": [{"x": {"x": 1}}]}
    changed = parse_path("$..x").set(document, {"x": 2})
    assert changed == {"x": {"x": 2}, "a": [{"x": {"x": 2}}]}


def test_deleting_a_place_twice_deletes_it_once() -> None:
    assert parse_path("$[0,0]").delete([1, 2, 3]) == [2, 3]


def test_a_path_may_be_used_any_number_of_times() -> None:
    path, items = parse_path("$.first()"), list(range(1_000_000))
    assert [path.get(items) for _ in range(40)] == [0] * 40


def test_a_document_that_is_too_deep_is_an_error() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    for use in (parse_path("$..x").query, parse_path("$..x").delete):
        with pytest.raises(EvaluationError, match="too deeply"):
            use({"deep": deep})


names = st.text(min_size=1, max_size=8).filter(
    lambda name: not any("\ud800" <= c <= "\udfff" for c in name)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


def quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(keys=st.lists(names, min_size=1, max_size=4), value=values)
def test_what_is_written_is_found_again(keys: list[str], value: Any) -> None:
    path = parse_path("$" + "".join(f"[{quoted(key)}]" for key in keys))
    written = path.set({}, value)
    assert path.get(written) == value
    assert path.query(written) == [value]


@given(keys=st.lists(names, min_size=1, max_size=4), value=values)
def test_what_is_written_and_deleted_is_gone(keys: list[str], value: Any) -> None:
    path = parse_path("$" + "".join(f"[{quoted(key)}]" for key in keys))
    left = path.delete(path.set({}, value))
    assert path.get(left, "gone") == "gone"


@given(document=st.dictionaries(names, values, max_size=4))
def test_every_place_is_found_by_its_own_path(document: dict[str, Any]) -> None:
    for name, value in document.items():
        assert parse_path(f"$[{quoted(name)}]").get(document) == value
