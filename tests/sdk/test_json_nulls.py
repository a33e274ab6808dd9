"""JSON encoding turns NaN into null, so documents with null are searched: none with NaN leaves."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sdk import to_json_lines

_PLAIN = st.none() | st.text("nul:,[", max_size=6) | st.just("null") | st.integers(0, 9)
_KEYS = st.sampled_from(["a", "b", "null", '":null'])


def values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=8,
    )


def lines_of(documents: list[Any]) -> bytes:
    return msgspec.json.Encoder().encode_lines(documents)


@given(st.lists(values(_PLAIN), max_size=12))
def test_documents_without_nan_are_written(documents: list[Any]) -> None:
    assert to_json_lines(documents) == lines_of(documents)


@given(st.lists(values(_PLAIN | st.sampled_from([nan, inf, -inf, 0.5])), max_size=12))
def test_documents_with_nan_are_refused(documents: list[Any]) -> None:
    text = json.dumps(documents)
    assert (to_json_lines(documents) is None) == ("NaN" in text or "Infinity" in text)


@pytest.mark.parametrize(
    "last", [{"a": nan}, {"a": {"b": nan}}, {"l": [1, nan]}, {"l": [nan]}, {"b": nan}, nan]
)
def test_one_nan_among_many_nulls_is_noticed(last: Any) -> None:
    documents = [{"a": None, "l": [1, None], "note": "null"} for _ in range(64)]
    assert to_json_lines(documents) is not None
    assert to_json_lines([*documents, last]) is None
    assert to_json_lines([last, *documents]) is None


def test_a_root_that_is_null_is_written_and_one_that_is_nan_is_not() -> None:
    assert to_json_lines([None, {"a": None}, None]) == b'null\n{"a":null}\nnull\n'
    assert to_json_lines([None, {"a": None}, nan]) is None
    assert to_json_lines([nan, {"a": None}, {"b": None}]) is None
